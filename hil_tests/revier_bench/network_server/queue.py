# SPDX-FileCopyrightText: 2026 The Revier authors
# SPDX-License-Identifier: EUPL-1.2
"""The downlink queue: one list for each device, in order of enqueueing."""

from dataclasses import dataclass, field, replace

from revier_bench.network_server.registry import ConstraintError, NotFoundError, ValidationError


@dataclass(frozen=True, slots=True)
class QueueItem:
    id: str
    dev_eui: str
    f_port: int
    data: bytes
    confirmed: bool = False
    is_pending: bool = False
    f_cnt_down: int | None = None
    is_encrypted: bool = False
    expires_ns: int | None = None

    def has_expired(self, now_ns: int) -> bool:
        return self.expires_ns is not None and self.expires_ns < now_ns


@dataclass(slots=True)
class DownlinkQueue:
    _items: dict[str, list[QueueItem]] = field(default_factory=dict)

    def enqueue(self, item: QueueItem) -> None:
        if not 1 <= item.f_port <= 255:
            raise ValidationError("Validation error: FPort must be between 1 - 255")
        if item.is_encrypted and item.f_cnt_down is None:
            raise ValidationError(
                "Validation error: FCntDown must be set for encrypted queue-items"
            )
        if any(i.id == item.id for items in self._items.values() for i in items):
            raise ConstraintError("UNIQUE constraint failed: device_queue_item.id")
        self._items.setdefault(item.dev_eui, []).append(item)

    def of(self, dev_eui: str) -> list[QueueItem]:
        return list(self._items.get(dev_eui, ()))

    def first(self, dev_eui: str) -> tuple[QueueItem, bool] | None:
        """The next item and whether more wait behind it."""
        items = self._items.get(dev_eui)
        return (items[0], len(items) > 1) if items else None

    def pending(self, dev_eui: str) -> QueueItem | None:
        return next((i for i in self._items.get(dev_eui, ()) if i.is_pending), None)

    def get(self, dev_eui: str, item_id: str) -> QueueItem:
        for item in self._items.get(dev_eui, ()):
            if item.id == item_id:
                return item
        raise NotFoundError(item_id)

    def set_f_cnt(self, item: QueueItem, f_cnt_down: int) -> None:
        self._replace(replace(item, f_cnt_down=f_cnt_down))

    def set_pending(self, item: QueueItem) -> None:
        self._replace(replace(item, is_pending=True))

    def _replace(self, item: QueueItem) -> None:
        items = self._items[item.dev_eui]
        items[[i.id for i in items].index(item.id)] = item

    def remove(self, item: QueueItem) -> None:
        self._items[item.dev_eui] = [i for i in self._items[item.dev_eui] if i.id != item.id]

    def flush(self, dev_eui: str, *, also_pending: bool = True) -> None:
        keep = () if also_pending else (i for i in self.of(dev_eui) if i.is_pending)
        self._items[dev_eui] = list(keep)
