"""How far a run has come, of making invoices or of sending links."""

from dataclasses import dataclass

from services.gateway.dashboard.views.money import Money
from services.gateway.schemas.invoices import DeliveryView, GenerationView
from services.gateway.schemas.sendings import SendingView


@dataclass(frozen=True, slots=True)
class Progress:
    """A run that makes invoices."""

    run: str
    """Empty where it is not known which run it is."""
    done: int
    total: int
    created: int
    failed: int
    left: int
    remaining: str = ""
    """How long it still takes; empty while that is not known."""
    marks: bool = False
    """It marks what was paid elsewhere, and makes nothing."""
    stopping: bool = False
    """It was cancelled, and what is begun is being finished."""


def time_left(seconds: float | None) -> str:
    """As a person says it. The page's script says it the same way."""
    if seconds is None:
        return ""
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    return f"about {minutes} minute{'' if minutes == 1 else 's'} left"


def progress_of(money: Money, run: GenerationView | None) -> Progress | None:
    """The run's own counts where it is known which run it is; else what the show's sums tell. None when none runs."""
    if run is not None and (run.state == "running" or run.finished_at is None):
        done = run.created_count + run.failed_count
        return Progress(
            run=run.id,
            done=done,
            total=run.total_count,
            created=run.created_count,
            failed=run.failed_count,
            left=run.pending_count,
            remaining=time_left(run.remaining_seconds),
            marks=run.marks_paid,
            stopping=run.state == "cancelled",
        )
    if not money.pending_count:
        return None
    done, failed = money.settled_count, money.error_count
    return Progress("", done, done + money.pending_count, done - failed, failed, money.pending_count)


@dataclass(frozen=True, slots=True)
class SendingProgress:
    """A run that sends links."""

    id: str
    running: bool
    total: int
    waiting: int
    sent: int
    """Delivered, or handed to the messaging service."""
    failed: int
    skipped: int
    faults: list[tuple[str, int]]
    """Why links were not sent, each reason with its number, most frequent first."""

    @property
    def done(self) -> int:
        return self.total - self.waiting


def sending_of(run: SendingView, failed: list[DeliveryView]) -> SendingProgress:
    """`failed` are deliveries of the run; those that did not fail are passed over."""
    reasons: dict[str, int] = {}
    for delivery in failed:
        if delivery.state == "failed":
            reasons[delivery.reason] = reasons.get(delivery.reason, 0) + 1
    return SendingProgress(
        id=run.id,
        running=run.state == "running",
        total=run.total_count,
        waiting=run.queued_count,
        sent=run.delivered_count + run.requested_count,
        failed=run.failed_count,
        skipped=run.skipped_count,
        faults=sorted(reasons.items(), key=lambda reason: -reason[1]),
    )
