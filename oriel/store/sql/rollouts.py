"""Rollouts and claims in SQL."""

from sqlalchemy import and_, delete, or_, select

from oriel.store.records import AuditEntry, Rollout
from oriel.store.sql.database import Database
from oriel.store.sql.row_security import NOBODY
from oriel.store.sql.tables import claim as claims
from oriel.store.sql.tables import rollout as rollouts


class SqlRollouts(Database):
    """Versions on their way to tenants, and who works on what."""

    def create_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None:
        taken = f"{rollout.extension_id} {rollout.version} is rolled out already, or is not there."
        self._create(rollouts, rollout, taken, entry)

    def replace_rollout(self, rollout: Rollout, entry: AuditEntry | None = None) -> None:
        stale = f"The rollout of {rollout.extension_id} {rollout.version} has changed meanwhile."
        self._replace(rollouts, rollout, stale, entry)

    def get_rollout(self, extension_id: str, version: str) -> Rollout | None:
        one = and_(rollouts.c.extension_id == extension_id, rollouts.c.version == version)
        return self._one(Rollout, select(rollouts).where(one))

    def list_rollouts(self, extension_id: str) -> tuple[Rollout, ...]:
        own = select(rollouts).where(rollouts.c.extension_id == extension_id)
        return self._all(Rollout, own.order_by(rollouts.c.version))

    def pending_rollouts(self, limit: int = 100) -> tuple[Rollout, ...]:
        pending = select(rollouts).where(rollouts.c.settled.is_(False))
        return self._all(Rollout, pending.order_by(rollouts.c.extension_id, rollouts.c.version).limit(limit))

    def claim(self, name: str, holder: str, until: int) -> bool:
        new = self._upsert(claims).values(name=name, holder=holder, until=until)
        mine = or_(claims.c.holder == holder, claims.c.until <= self._clock())
        taken = new.on_conflict_do_update(
            index_elements=["name"], set_={"holder": holder, "until": until}, where=mine
        ).returning(claims.c.name)
        return self._write(NOBODY, lambda connection: connection.execute(taken).one_or_none() is not None)

    def release(self, name: str, holder: str) -> None:
        self._delete(delete(claims).where(claims.c.name == name, claims.c.holder == holder), NOBODY)
