"""The admins of the corps that have a provider's app: permissions end and are renewed, corps leave and come back.

Nothing of that happens by itself: `turn` does what is due.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from torture.tenants import Tenant

__all__ = ["Admins"]

AWAY = (1, 3)
"""Turns for which a permission has ended, or a corp is without the app."""
LEAVES = 6
"""How often corps remove the app in all: their messages are deleted then, and tell nothing any more."""
PATIENCE = 4
"""Turns after which an admin installs the app again, since the installation did not reach it."""


class Admins:
    """What the admins do.

    Args:
        tenants: The corps.
        knows: Returns whether the app knows the present installation of a corp.
        on_return: Called with a corp just before it installs the app again.
        rng: Chooses who does something, and how long it lasts.

    Attributes:
        counts: How often each thing was done.
    """

    def __init__(
        self,
        tenants: Sequence[Tenant],
        knows: Callable[[Tenant], bool],
        on_return: Callable[[Tenant], None],
        rng: random.Random,
    ) -> None:
        self._tenants = tenants
        self._knows = knows
        self._on_return = on_return
        self._rng = rng
        self._turn = 0
        self._due: list[tuple[int, Tenant, Callable[[], None]]] = []
        self._unknown_since: dict[str, int] = {}
        self.counts: Counter[str] = Counter()

    def install(self) -> None:
        """Install the app at all corps, which have it before it is known to the app."""
        for tenant in self._tenants:
            tenant.leave()
            self._join(tenant)

    def end_permission(self) -> None:
        """Let the permission of one corp end; it is renewed some turns later."""
        if (tenant := self._idle()) is not None:
            tenant.end_permission()
            self._later(tenant, tenant.renew_permission)
            self.counts["permissions ended"] += 1

    def leave(self) -> None:
        """Let one corp remove the app, not too often; it comes back some turns later."""
        if self.counts["corps left"] < LEAVES and (tenant := self._idle()) is not None:
            tenant.leave()
            self._later(tenant, partial(self._join, tenant))
            self.counts["corps left"] += 1

    def turn(self) -> None:
        """Do what is due."""
        self._turn += 1
        self._do([each for each in self._due if each[0] <= self._turn])
        for tenant in self._tenants:
            if not tenant.has_app or self._knows(tenant):
                self._unknown_since.pop(tenant.corpid, None)
            elif self._turn - self._unknown_since.setdefault(tenant.corpid, self._turn) >= PATIENCE:
                self._install_again(tenant)

    def end(self) -> bool:
        """Let all corps have the app and its permission; return whether the app knows all of them."""
        self._do(list(self._due))
        return all(self._knows(tenant) for tenant in self._tenants)

    def install_unknown(self) -> None:
        """Install the app again where it does not know of its installation."""
        for tenant in self._tenants:
            if not self._knows(tenant):
                self._install_again(tenant)

    def _install_again(self, tenant: Tenant) -> None:
        tenant.leave()
        self._join(tenant)
        self._unknown_since.pop(tenant.corpid, None)
        self.counts["installed again"] += 1

    def _join(self, tenant: Tenant) -> None:
        self._on_return(tenant)
        tenant.join()

    def _do(self, due: Sequence[tuple[int, Tenant, Callable[[], None]]]) -> None:
        for each in due:
            self._due.remove(each)
            each[2]()

    def _later(self, tenant: Tenant, act: Callable[[], None]) -> None:
        self._due.append((self._turn + self._rng.randint(*AWAY), tenant, act))

    def _idle(self) -> Tenant | None:
        busy = {tenant.corpid for _, tenant, _ in self._due}
        idle = [tenant for tenant in self._tenants if tenant.corpid not in busy and self._knows(tenant)]
        return self._rng.choice(idle) if idle else None
