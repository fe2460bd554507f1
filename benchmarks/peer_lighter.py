"""The last layer of an encoder and a classifier on it, fine-tuned on texts with plain torch.

Usage: PEER_PYTHON benchmarks/peer_lighter.py TASKS.json MODEL [--epochs N] [--rate R]

TASKS holds ``texts``, and per run ``labels``, ``train`` and ``test`` (rows by number) and ``seed``;
MODEL is a directory of the encoder's weights. The layers that are frozen run once for all texts
that a run names, and their output is kept: each run is charged its share of that. Prints a JSON
list with, per run, the processor's seconds for that share (``before``) and for the training
(``seconds``), the bytes of what was trained, and the accuracy on the test rows. Epochs and rate are
usual ones for one layer; they were not searched for.

Runs under a Python of its own that has torch and transformers; nothing of this package is here.
"""

import argparse
import copy
import json
import pathlib
import time

import torch
from transformers import AutoModel, AutoTokenizer

BATCH = 32
MAX_TOKENS = 256
WARM_UP = 0.1  # the share of all steps in which the rate rises
States = dict[int, torch.Tensor]  # by row


def frozen_states(
    model: torch.nn.Module, tokenizer: object, texts: list[str], named: set[int]
) -> States:
    """What the last layer gets, (tokens, dim) for each row; short texts run beside short ones."""
    order = sorted(named, key=lambda i: len(texts[i]))
    found: States = {}
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        batch = tokenizer(
            [texts[i] for i in rows],
            padding=True,
            truncation=True,
            max_length=MAX_TOKENS,
            return_tensors="pt",
        )
        with torch.no_grad():
            states = model(**batch).last_hidden_state
        lengths = batch["attention_mask"].sum(dim=1).tolist()
        found |= {i: states[j, : lengths[j]].clone() for j, i in enumerate(rows)}
    return found


class Head(torch.nn.Module):
    """The last layer, the mean over the tokens, and a linear map to the classes."""

    def __init__(self, last: torch.nn.Module, dim: int, n_classes: int) -> None:
        super().__init__()
        self.last = last
        self.linear = torch.nn.Linear(dim, n_classes)

    def forward(self, states: list[torch.Tensor]) -> torch.Tensor:
        x = torch.nn.utils.rnn.pad_sequence(states, batch_first=True)
        lengths = torch.tensor([len(each) for each in states])
        mask = (torch.arange(x.shape[1]) < lengths[:, None]).float()
        y = self.last(x, attention_mask=(mask[:, None, None, :] - 1) * 1e9)
        return self.linear((y * mask[:, :, None]).sum(dim=1) / lengths[:, None])


def accuracy(head: Head, states: States, labels: torch.Tensor, rows: list[int]) -> float:
    head.eval()
    ordered = sorted(rows, key=lambda i: len(states[i]))
    right = 0
    with torch.no_grad():
        for start in range(0, len(ordered), BATCH):
            chosen = ordered[start : start + BATCH]
            found = head([states[i] for i in chosen]).argmax(dim=1)
            right += int((found == labels[chosen]).sum())
    return right / len(rows)


def tune(head: Head, states: States, labels: torch.Tensor, rows: list[int], given: object) -> None:
    groups = [
        {"params": head.last.parameters(), "lr": given.rate},
        {"params": head.linear.parameters(), "lr": given.rate * 10},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    n_steps = given.epochs * -(-len(rows) // BATCH)

    def rate(step: int) -> float:
        return min((step + 1) / (WARM_UP * n_steps), (n_steps - step) / (n_steps * (1 - WARM_UP)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    head.train()
    for _ in range(given.epochs):
        order = torch.randperm(len(rows)).tolist()
        for start in range(0, len(rows), BATCH):
            chosen = [rows[i] for i in order[start : start + BATCH]]
            loss = torch.nn.functional.cross_entropy(
                head([states[i] for i in chosen]), labels[chosen]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def tuned(head: Head, states: States, run: dict, given: object) -> dict[str, float]:
    """The seconds, size and accuracy of one run."""
    labels = torch.tensor(run["labels"])
    train, test = run["train"], run["test"]
    start = time.process_time()
    tune(head, states, labels, train, given)
    seconds = time.process_time() - start
    size = sum(value.numel() * value.element_size() for value in head.parameters())
    right = accuracy(head, states, labels, test)
    return {"rows": len(train), "seconds": seconds, "bytes": size, "accuracy": right}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", type=pathlib.Path)
    parser.add_argument("model")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=3e-4)
    given = parser.parse_args()
    torch.set_num_threads(1)
    held = json.loads(given.tasks.read_text("utf-8"))
    tokenizer = AutoTokenizer.from_pretrained(given.model, local_files_only=True)
    model = AutoModel.from_pretrained(given.model, local_files_only=True).eval()
    last = model.encoder.layer[-1]
    model.encoder.layer = model.encoder.layer[:-1]
    start = time.process_time()
    named = {i for run in held["runs"] for i in run["train"] + run["test"]}
    states = frozen_states(model, tokenizer, held["texts"], named)
    each = (time.process_time() - start) / len(states)
    found = []
    for run in held["runs"]:
        torch.manual_seed(run["seed"])
        head = Head(copy.deepcopy(last), model.config.hidden_size, max(run["labels"]) + 1)
        made = tuned(head, states, run, given)
        found.append(made | {"before": each * made["rows"]})
    print(json.dumps(found))


main()
