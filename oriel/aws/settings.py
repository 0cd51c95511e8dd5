"""Settings that name something in AWS: `lambda:…`, `sqs:…`, `kms:…`, `secretsmanager:…`."""

from oriel.aws.target import Target
from oriel.errors import Finding, InvalidInput
from oriel.settings import Settings


def target_of_setting(settings: Settings, name: str, scheme: str) -> Target:
    """What the setting `name` names.

    Raises:
        InvalidInput: `invalid_input`, where it is not set or of another kind.
    """
    return _target(name, str(getattr(settings, name)), scheme)


def targets_of_setting(settings: Settings, name: str, scheme: str) -> tuple[Target, ...]:
    """What a setting names that is a list; `InvalidInput` as above."""
    return tuple(_target(name, value, scheme) for value in getattr(settings, name))


def _target(name: str, value: str, scheme: str) -> Target:
    variable = f"ORIEL_{name.upper()}"
    given, _, rest = value.partition(":")
    form = f"{scheme}:NAME[?region=…&endpoint=…]"
    if given != scheme:
        finding = Finding(variable, f"{value!r} is not of the form {form}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    return Target.parse(rest, setting=variable, form=form)
