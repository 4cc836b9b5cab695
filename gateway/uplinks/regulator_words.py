"""What a person must mend before a regulator hears this box: what stands in the way, where, and how, in both languages.

In: the regulator's refusal. Out: words for the box's page, Chinese and English. Pure.
"""

from dataclasses import dataclass

from contract.faults import ContractFault, Malformed, OtherProject
from gateway.ports import BothWords


@dataclass(frozen=True, slots=True)
class Place:
    """Whose words: the box, its project as the site file names it, the desk's address."""

    box_id: str
    project_code: str
    desk: str

    def code_fault(self, fault: ContractFault, code_at: str) -> BothWords:
        """A code that was refused, or is none. `code_at`: where it stands."""
        if isinstance(fault, Malformed):
            zh, en = f"登记码格式不对（{fault.field}）", f"The enrolment code is malformed ({fault.field})"
        else:
            zh = f"审查台 {self.desk} 答复：{fault.message_zh}"
            en = f"The desk {self.desk} answered: {fault.message_en}"
        return (
            f"{code_at}：{zh}。请把审查台发给项目 {self.project_code} 监控主机 {self.box_id} 的登记码写入此处。"
            "监控主机会自动重试，不必重启；判断与记录照常。",
            f"{code_at}: {en}. Write the code that the desk issued for box {self.box_id} of project "
            f"{self.project_code} there. The box tries again by itself, without a restart. It goes on judging and "
            "recording.",
        )

    def project_fault(self, fault: OtherProject) -> BothWords:
        """Alarms that name another project than the box is enrolled for."""
        named = f"监控主机 {self.box_id} 未登记于项目 {self.project_code}，应为 {fault.expected}"
        return (
            f"site.project_code：审查台 {self.desk} 拒收报警，{named}。"
            "请改正工地文件，或请审查台为本项目签发登记码。报警留在监控主机，改正后补发；判断与记录照常。",
            f"site.project_code: the desk {self.desk} refuses alarms: box {self.box_id} is not enrolled for project "
            f"{self.project_code}, expected {fault.expected}. Correct the site file, or ask the desk for a code for "
            "this project. Alarms wait in the box and are sent then. It goes on judging and recording.",
        )

    def key_broken(self, reason: str) -> BothWords:
        """The box's key is damaged or cannot be read."""
        return (
            f"监控主机 {self.box_id} 的签名密钥无法使用：{reason}。请从备份恢复该文件；没有备份时删除该文件，"
            f"并请审查台 {self.desk} 重新签发登记码。监控主机会自动重试，不必重启；判断与记录照常。",
            f"The key of box {self.box_id} cannot be used: {reason}. Restore the file from a backup; without one "
            f"remove it and ask the desk {self.desk} for a new code. The box tries again by itself, without a restart. "
            "It goes on judging and recording.",
        )

    def waits_for_approver(self) -> BothWords:
        """What to say while the box is enrolled and not heard yet."""
        return (
            f"审查台 {self.desk}：项目 {self.project_code} 已有监控主机，本机 {self.box_id} 须经审批人审批才予接收。"
            "请联系审查台。监控主机会自动重试，不必重启；判断与记录照常。",
            f"Desk {self.desk}: project {self.project_code} has a box already, and an approver has to admit this one, "
            f"{self.box_id}. Ask the desk. The box tries again by itself, without a restart. It goes on judging and "
            "recording.",
        )
