"""What AWS calls functions by, beside requests: messages of their queues, and events of the bus. Played over moto."""

import contextlib
import json
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.support.aws import REGION
from tests.support.stack import ACCOUNT, Stack, boto

PAUSE_SECONDS = 0.2
_MAPPING, _RULE = "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"


class EventSources:
    """Use it in a `with`.

    Args:
        call: calls a function, by its name in the template, with an event; gives its answer.
    """

    def __init__(self, stack: Stack, call: Callable[[str, Any], dict[str, Any]]) -> None:
        self._stack, self._call = stack, call
        self._hearing: dict[str, threading.Lock] = defaultdict(threading.Lock)  # held while a message is taken to it
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "EventSources":
        for queue, function in self._mappings().items():
            self._listen(self._stack.physical[queue], function, _records)
        self._listen(self._bus_queue(), "EventsFunction", lambda message: json.loads(message["Body"]))
        return self

    def __exit__(self, *_failure: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def bus(self) -> str:
        """The name of the bus where the product puts its events."""
        return self._stack.beside["EventBus"]

    @contextlib.contextmanager
    def deaf(self, *functions: str):
        """No message of a queue reaches these functions meanwhile."""
        with contextlib.ExitStack() as held:
            for function in functions:
                held.enter_context(self._hearing[function])
            yield

    def _mappings(self) -> dict[str, str]:
        """The functions that take messages, by their queues, as the template says."""
        mappings = [r["Properties"] for r in self._stack.resources.values() if r["Type"] == _MAPPING]
        return {
            mapping["EventSourceArn"]["Fn::GetAtt"][0]: mapping["FunctionName"]["Ref"].partition("Alias")[0]
            for mapping in mappings
        }

    def _bus_queue(self) -> str:
        """A queue that gets what the template's rule passes on to Lambda, which moto cannot do."""
        queue, rules = boto("sqs"), boto("events")
        url: str = queue.create_queue(QueueName=f"{self.bus}-passed")["QueueUrl"]
        arn = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, resource in self._stack.resources.items():
            if resource["Type"] == _RULE and "EventPattern" in resource["Properties"]:
                pattern = json.dumps(resource["Properties"]["EventPattern"])
                rules.put_rule(Name=name, EventBusName=self.bus, EventPattern=pattern)
                rules.put_targets(Rule=name, EventBusName=self.bus, Targets=[{"Id": "lambda", "Arn": arn}])
        return url

    def _listen(self, url: str, function: str, event_of: Callable[[dict[str, Any]], Any]) -> None:
        self._threads.append(threading.Thread(target=self._poll, args=(url, function, event_of), daemon=True))
        self._threads[-1].start()

    def _poll(self, url: str, function: str, event_of: Callable[[dict[str, Any]], Any]) -> None:
        """Messages of the queue to the function, and what it took away from it."""
        queue = boto("sqs")
        while not self._stopping.is_set():
            with self._hearing[function]:
                messages = queue.receive_message(QueueUrl=url, AttributeNames=["All"]).get("Messages", [])
                for message in messages:
                    done = self._call(function, event_of(message))
                    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
                    if "errorType" not in done and not done.get("batchItemFailures"):
                        queue.delete_message(**handle)
                    else:
                        queue.change_message_visibility(**handle, VisibilityTimeout=1)
            if not messages:
                self._stopping.wait(PAUSE_SECONDS)
        queue.close()


def _records(message: dict[str, Any]) -> dict[str, Any]:
    """A message as Lambda hands it on."""
    record = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue",
        "awsRegion": REGION,
    }
    return {"Records": [record]}
