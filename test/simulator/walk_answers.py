"""Walks raw XML answers against EC2's service model as botocore ships it.

Reads a JSON list of {situation, operation, status, body} from the file named first, and writes to stdout a JSON list
with, for each answer, `problems` (elements that the model does not have, wrong types, wrong enum values, wrong names
of list items) and `parsed` (what botocore's own parser makes of it, for checks of what must be there).
"""
import datetime
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

import botocore.loaders
import botocore.model
import botocore.parsers

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
MODEL = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ec2", "service-2"), "ec2")


def walk(element, shape, path, problems):
    """Checks an element and all below it against a shape; knows no shape by name."""
    if shape.type_name == "structure":
        text_between(element, path, problems)
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        seen = set()
        for child in element:
            name = local_name(child, path, problems)
            if name not in members:
                problems.append(f"{path}.{name} is no member of {shape.name}")
                continue
            if name in seen:
                problems.append(f"{path}.{name} is there twice")
            seen.add(name)
            walk(child, members[name], f"{path}.{name}", problems)
    elif shape.type_name == "list":
        text_between(element, path, problems)
        item_name = shape.member.serialization.get("name", "member")
        for child in element:
            name = local_name(child, path, problems)
            if name != item_name:
                problems.append(f"{path}: list item is called {name}, not {item_name}")
            walk(child, shape.member, f"{path}[]", problems)
    else:
        scalar(element, shape, path, problems)


def scalar(element, shape, path, problems):
    if len(element):
        problems.append(f"{path} is a {shape.type_name} and has elements in it")
        return
    text = element.text or ""
    enum = shape.metadata.get("enum") if shape.type_name == "string" else None
    valid = {
        "string": lambda: enum is None or text in enum,
        "boolean": lambda: text in ("true", "false"),
        "integer": lambda: re.fullmatch(r"-?\d+", text) is not None,
        "long": lambda: re.fullmatch(r"-?\d+", text) is not None,
        "float": lambda: float(text) is not None,
        "double": lambda: float(text) is not None,
        "timestamp": lambda: datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") is not None,
        "blob": lambda: True,
    }[shape.type_name]
    try:
        fits = valid()
    except ValueError:
        fits = False
    if not fits:
        problems.append(f"{path}: {text!r} is no {shape.name} ({shape.type_name})")


def local_name(element, path, problems):
    match = re.fullmatch(r"\{(.*)\}(.*)", element.tag)
    if not match or match[1] != NAMESPACE:
        problems.append(f"{path}: {element.tag} is not in EC2's namespace")
        return element.tag
    return match[2]


def text_between(element, path, problems):
    texts = [element.text] + [child.tail for child in element]
    if any(text and text.strip() for text in texts):
        problems.append(f"{path}: text between elements")


def check_success(answer, root, problems):
    operation = MODEL.operation_model(answer["operation"])
    name = local_name(root, "", problems)
    if name != f"{operation.name}Response":
        problems.append(f"the root is {name}")
    children = list(root)
    if not children or not children[0].tag.endswith("}requestId") or not children[0].text:
        problems.append("there is no requestId first")
    shape = operation.output_shape
    if shape is None:
        # The API reference has `return` for these operations, the model has no output at all.
        rest = [(child.tag.split("}")[-1], child.text) for child in children[1:]]
        if rest != [("return", "true")]:
            problems.append(f"an operation without output answers {rest}")
        return
    for child in children[:1]:
        root.remove(child)
    walk(root, shape, operation.name, problems)


def check_error(root, problems):
    def only(element, *names):
        if [child.tag for child in element] != list(names):
            problems.append(f"{element.tag} holds {[child.tag for child in element]}, not {names}")
            return None
        return list(element)

    if root.tag != "Response":
        problems.append(f"the root of an error is {root.tag}")
    parts = only(root, "Errors", "RequestID")
    errors = parts and only(parts[0], "Error")
    fields = errors and only(errors[0], "Code", "Message")
    if fields and not all(field.text for field in fields):
        problems.append("an error without code or message")


def check(answer):
    problems = []
    root = ElementTree.fromstring(answer["body"])
    if answer["status"] == 200:
        check_success(answer, root, problems)
    else:
        check_error(root, problems)
    known = answer["operation"] in MODEL.operation_names
    shape = MODEL.operation_model(answer["operation"]).output_shape if known else None
    response = {"body": answer["body"].encode(), "status_code": answer["status"], "headers": {}}
    # What is wrong already may make the parser fail as well.
    parsed = None if problems else botocore.parsers.EC2QueryParser().parse(response, shape)
    return {"situation": answer["situation"], "operation": answer["operation"], "problems": problems, "parsed": parsed}


with open(sys.argv[1], encoding="utf-8") as file:
    json.dump([check(answer) for answer in json.load(file)], sys.stdout, default=str)
