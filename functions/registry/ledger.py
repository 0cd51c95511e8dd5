"""The registry in AWS, as its functions share it."""

from oriel.aws.keys import KmsDataKeys, KmsPublicKeys, KmsSigner
from oriel.aws.settings import target_of_setting, targets_of_setting
from oriel.bell import bell_of
from oriel.blobs.opening import open_split
from oriel.settings import Settings
from oriel.signing import TrustBundle
from oriel.store.opening import open_store
from registry.assembly import build_registry
from registry.core import Registry


def ledger(settings: Settings, *, signs: bool) -> Registry:
    """The registry that the settings name; nothing is asked for before it is needed.

    Args:
        signs: the function's role lets it sign with the platform's key.
    """
    return build_registry(
        settings,
        store=open_store(settings.store_url),
        blobs=open_split(settings.blobs_url, settings.ui_blobs),
        data_keys=KmsDataKeys(target_of_setting(settings, "data_key", "kms")),
        platform_key=KmsSigner(target_of_setting(settings, "platform_key", "kms")),
        believed=KmsPublicKeys(targets_of_setting(settings, "believed_platform_keys", "kms")),
        signs=signs,
        trust=TrustBundle.from_pem(settings.trust_bundle_pem()),
        told=bell_of(settings),
    )
