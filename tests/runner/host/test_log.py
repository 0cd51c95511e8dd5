import base64

from runner.execution import Services
from runner.host import log
from runner.host.log import MAX_FIELDS, MAX_MESSAGE_BYTES, MAX_VALUE_BYTES, safe


def logged(execution):
    return [line.message for line in execution.lines]


class Opened:
    """Opens every secret as its ciphertext."""

    def open(self, tenant_id, install_id, name, sealed):
        return sealed.ciphertext


def with_secret(make_execution, **values):
    secrets = [
        {"name": name, "key_id": "k", "nonce_b64": "", "ciphertext_b64": base64.b64encode(value.encode()).decode()}
        for name, value in values.items()
    ]
    execution = make_execution(Services(opener=Opened()), secrets=secrets)
    for name in values:
        execution.secrets.value(name)
    return execution


def test_a_line_keeps_its_level_message_and_fields(make_execution):
    execution = make_execution()
    log.emit(execution, "warn", "slow", [{"name": "ms", "value": "120"}])
    line = execution.lines[0]
    assert (line.level, line.message, line.fields) == ("warn", "slow", {"ms": "120"})
    assert execution.budgets.log_bytes == len("slow") + len("ms") + len("120")


def test_a_line_cut_within_a_character_is_still_text():
    for padding in range(4):
        cut = safe("x" * padding + "😀" * MAX_MESSAGE_BYTES, MAX_MESSAGE_BYTES)
        assert len(cut.encode()) <= MAX_MESSAGE_BYTES
        assert cut.endswith("😀…")


def test_a_line_of_exactly_the_limit_is_whole():
    assert safe("x" * 100, 100) == "x" * 100
    assert safe("x" * 101, 100) == "x" * 97 + "…"


def test_control_characters_cannot_forge_a_line_or_move_a_cursor():
    assert safe("one\r\ntwo\x1b[2J\x00\u202e\u2028", 100) == "one\\r\\ntwo\\x1b[2J\\x00\\u202e\\u2028"


def test_a_flood_is_dropped_and_counted_and_fails_nothing(make_execution):
    execution = make_execution(limits={"max_log_lines": 10})
    for at in range(10_000):
        log.emit(execution, "info", f"line {at}", [])
    assert len(execution.lines) == 10
    assert execution.budgets.log_dropped == 9_990


def test_a_line_that_does_not_fit_the_rest_is_dropped_and_a_shorter_one_still_passes(make_execution):
    execution = make_execution(limits={"max_log_bytes": 10})
    for message in ("12345678", "12345678", "12"):
        log.emit(execution, "info", message, [])
    assert logged(execution) == ["12345678", "12"]


def test_fields_are_bounded_in_number_and_size(make_execution):
    execution = make_execution()
    log.emit(execution, "info", "", [{"name": f"f{at}", "value": "v" * 5_000} for at in range(1_000)])
    fields = execution.lines[0].fields
    assert len(fields) == MAX_FIELDS
    assert all(len(value.encode()) <= MAX_VALUE_BYTES for value in fields.values())


def test_an_opened_secret_is_kept_out_of_message_and_fields(make_execution):
    execution = with_secret(make_execution, token="s3cr3t-value")
    log.emit(execution, "info", "sent s3cr3t-value", [{"name": "s3cr3t-value", "value": "=s3cr3t-value="}])
    line = execution.lines[0]
    assert line.message == "sent [secret]"
    assert line.fields == {"[secret]": "=[secret]="}


def test_a_secret_over_the_cut_leaves_no_piece_behind(make_execution):
    execution = with_secret(make_execution, token="s3cr3t-value")
    log.emit(execution, "info", "x" * (MAX_MESSAGE_BYTES - 10) + "s3cr3t-value", [])
    assert "s3c" not in logged(execution)[0]


def test_a_secret_with_a_line_break_is_replaced_before_it_is_escaped(make_execution):
    execution = with_secret(make_execution, key="-----BEGIN\nabc\n-----END")
    log.emit(execution, "info", "key: -----BEGIN\nabc\n-----END", [])
    assert logged(execution) == ["key: [secret]"]


def test_of_two_secrets_one_within_the_other_no_tail_is_left(make_execution):
    execution = with_secret(make_execution, short="abcd", long="abcdefgh")
    log.emit(execution, "info", "abcdefgh abcd", [])
    assert logged(execution) == ["[secret] [secret]"]


def test_a_secret_that_was_not_opened_is_not_looked_for(make_execution):
    execution = make_execution(
        Services(opener=Opened()),
        secrets=[{"name": "token", "key_id": "k", "nonce_b64": "", "ciphertext_b64": "AAAA"}],
    )
    log.emit(execution, "info", "plain", [])
    assert execution.secrets._opened == {}
