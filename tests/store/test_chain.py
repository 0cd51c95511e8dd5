"""The audit's chain: what is removed, altered, moved or cut off is found."""

import pytest
from msgspec.structs import replace

from oriel.store.audit import chained, faults, head_of
from oriel.store.records import AuditEntry


def chain(length=5, tenant_id="t1"):
    links, head = [], None
    for number in range(length):
        changed = {"n": number}
        links.append(
            chained(
                AuditEntry(
                    tenant_id=tenant_id,
                    audit_id=f"aud_{number}",
                    at=number,
                    actor="a",
                    action="b",
                    target="c",
                    after=changed,
                ),
                head,
            )
        )
        head = head_of(links[-1])
    return links, head


def test_a_whole_chain_and_an_empty_one_have_no_faults():
    links, head = chain()
    assert list(faults(links, head, [head_of(links[2])])) == list(faults([], None)) == []


@pytest.mark.parametrize("removed", range(5))
def test_a_removed_entry_is_found_at_its_place(removed):
    links, head = chain()
    found = list(faults(links[:removed] + links[removed + 1 :], head))
    assert found
    assert found[0].sequence in {removed + 1, removed + 2}


ALTERED = {"at": 99, "actor": "mallory", "action": "x", "target": "x", "before": {}, "after": None, "tenant_id": "t2"}


@pytest.mark.parametrize("field", ALTERED)
def test_an_altered_entry_is_found(field):
    links, head = chain()
    links[2] = replace(links[2], **{field: ALTERED[field]})
    assert [fault.sequence for fault in faults(links, head)] == [3]


def test_an_altered_entry_with_a_new_digest_is_found_by_the_one_after_it():
    links, head = chain()
    links[2] = chained(
        AuditEntry(tenant_id="t1", audit_id="aud_2", at=2, actor="mallory", action="b", target="c"),
        head_of(links[1]),
    )
    assert [fault.sequence for fault in faults(links, head)] == [4]


def test_moved_entries_are_found():
    links, head = chain()
    links[1], links[2] = links[2], links[1]
    assert {fault.sequence for fault in faults(links, head)} >= {2, 3}


def test_an_end_that_was_cut_off_is_found_by_the_head_and_with_the_head_by_a_checkpoint():
    links, head = chain()
    assert [fault.sequence for fault in faults(links[:3], head)] == [4]
    cut = head_of(links[2])
    assert list(faults(links[:3], cut)) == []
    assert [fault.sequence for fault in faults(links[:3], cut, [head])] == [4]
    assert [fault.sequence for fault in faults([], None, [head])] == [1]


def test_a_chain_that_was_written_anew_is_found_by_a_checkpoint():
    _, head = chain()
    anew, new_head = chain()
    anew[0] = replace(anew[0], actor="mallory")
    rewritten, last = [], None
    for link in anew:
        fields = {name: getattr(link, name) for name in AuditEntry.__slots__}
        rewritten.append(chained(AuditEntry(**fields), last))
        last = head_of(rewritten[-1])
    assert list(faults(rewritten, last)) == []
    assert [fault.sequence for fault in faults(rewritten, last, [head])] == [5]
    assert new_head == head
