"""Files to the regulator: by their digest, in parts, resumed where the last attempt broke off.

In: a file's bytes. Out: the regulator's word that it holds and has checked the whole. Knows no outbox.
"""

import hashlib

from contract.faults import BlobOffset
from contract.messages import BLOB, BLOB_QUERY, Blob, BlobQuery, BlobState
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession, Way

PART_BYTES = 1024 * 1024


async def send_blob(session: RegulatorSession, content: bytes, media_type: str) -> str:
    """The file's SHA-256 once the regulator holds the whole. Raises ContractFault or NoAnswerError.

    The regulator is asked first, so a file that it holds already costs one question.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    state = await _held(session, sha256)
    while not state.complete:
        before = state.received_bytes
        try:
            state = await _send_part(
                session,
                content,
                before,
                Blob(
                    sha256=sha256,
                    size_bytes=len(content),
                    offset_bytes=before,
                    part_sha256=hashlib.sha256(content[before : before + PART_BYTES]).hexdigest(),
                    media_type=media_type,
                ),
            )
        except BlobOffset:
            state = await _held(session, sha256)
        if not state.complete and state.received_bytes <= before:
            raise NoAnswerError(f"the file {sha256} does not grow beyond {before} bytes")
    return sha256


async def _held(session: RegulatorSession, sha256: str) -> BlobState:
    question = Question(BLOB_QUERY, f"{BLOB_QUERY}:{sha256}", BlobQuery(sha256=sha256).model_dump)
    return await session.ask(question, BlobState, Way(f"/v1/blobs/{sha256}", "GET", content=b""))


async def _send_part(session: RegulatorSession, content: bytes, offset: int, part: Blob) -> BlobState:
    question = Question(BLOB, f"{BLOB}:{part.sha256}:{offset}", part.model_dump)
    way = Way(f"/v1/blobs/{part.sha256}", "PUT", content=content[offset : offset + PART_BYTES])
    return await session.ask(question, BlobState, way)
