"""Settings that name something in AWS: `lambda:…`, `sqs:…`, `kms:…`, `secretsmanager:…`."""

from oriel.aws.target import Target
from oriel.errors import Finding, InvalidInput
from oriel.settings import Settings


def target_of_setting(settings: Settings, name: str, scheme: str) -> Target:
    """What the setting `name` names.

    Raises:
        InvalidInput: `invalid_input`, where it is not set or of another kind.
    """
    variable, value = f"ORIEL_{name.upper()}", str(getattr(settings, name))
    given, _, rest = value.partition(":")
    form = f"{scheme}:NAME[?region=…&endpoint=…]"
    if given != scheme:
        finding = Finding(variable, f"{value!r} is not of the form {form}.")
        raise InvalidInput("invalid_input", [finding], subject="The environment")
    return Target.parse(rest, setting=variable, form=form)
