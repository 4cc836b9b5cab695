"""The first administrators, made at the desk's own console.

A desk needs two: what one proposes, another approves. So this is done until two persons keep accounts for the whole
desk, and never after.
"""

from regulator.base.accounts.directory import administrators_at_the_top, make_account
from regulator.base.accounts.granting import grant_at_set_up
from regulator.base.accounts.model import Account, NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.sessions import normal_login
from regulator.base.model.actor import SYSTEM, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger

FIRST = 2


def create_first_administrator(
    database: DeskDatabase, ledger: Ledger, passwords: Passwords, new: NewAccount, province_code: str, now_ns: int
) -> Account:
    """One of the first two, who must choose another password at the first login. Raises RefusedError 409: there are
    two already, or the login name is taken; 422: bad name or password."""
    password_hash = passwords.hashed(new.password, normal_login(new.login))
    home = Scope(Level.PROVINCE, province_code)
    with database.transaction() as db:
        if administrators_at_the_top(db) >= FIRST:
            words = ("已有两名管理员，请由其添加账号", "there are two administrators: they add accounts")
            raise RefusedError(409, "set_up_already", *words)
        account = make_account(db, ledger, new, password_hash, home, SYSTEM, now_ns)
        grant_at_set_up(db, ledger, account.user_id, home, SYSTEM, now_ns)
        return account
