"""The Lambda function for events and schedules, made when it starts (`gateway.event_function`)."""

from gateway.dispatcher import build_dispatcher
from gateway.event_function import Function
from gateway.in_aws import build as build_gateway
from oriel import telemetry
from oriel.bell import bell_of
from oriel.emitting import Emitter, event_bounds
from oriel.settings import Settings
from oriel.store.opening import open_store


def build(settings: Settings) -> Function:
    """The function that the settings name."""
    store, told = open_store(settings.store_url), bell_of(settings)
    dispatcher = build_dispatcher(settings, store, build_gateway(settings).gateway, told=told)
    return Function(dispatcher, Emitter(store, event_bounds(settings), told=told))


_settings = Settings.load()
telemetry.configure(_settings.log_level)
handler = build(_settings)
