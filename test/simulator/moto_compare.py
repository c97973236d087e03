"""Does the same to moto and to the simulated cloud at the URL named first, and prints what each answered as JSON.

Only calls that moto answers as EC2 does. Ids become names (`machine 1`), so that the two can be compared.
"""
import json
import logging
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

CREDENTIALS = {"region_name": "us-east-1", "aws_secret_access_key": "any"}
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20)


def client(url, key):
    return boto3.client("ec2", endpoint_url=url, config=CONFIG, aws_access_key_id=key, **CREDENTIALS)


class Cloud:
    """One of the two clouds: its client, and the names that ids are replaced by."""

    def __init__(self, ec2, names, template):
        self.ec2, self.names, self.template, self.steps = ec2, dict(names), template, {}

    def id_of(self, name):
        return next(key for key, value in self.names.items() if value == name)

    def named(self, value):
        if isinstance(value, dict):
            return {key: self.named(item) for key, item in value.items() if key != "ResponseMetadata"}
        if isinstance(value, list):
            return [self.named(item) for item in value]
        if isinstance(value, str):
            for key, name in self.names.items():
                value = value.replace(key, f"<{name}>")
        return value

    def step(self, name, call, **parameters):
        try:
            result = {"answer": self.named(getattr(self.ec2, call)(**parameters))}
        except ClientError as error:
            fields, metadata = error.response["Error"], error.response["ResponseMetadata"]
            result = {
                "code": fields["Code"],
                "status": metadata["HTTPStatusCode"],
                "message": self.named(fields["Message"]),
            }
        self.steps[name] = json.loads(json.dumps(result, default=str))

    def settle(self, ids, state):
        for _ in range(200):
            found = [
                one
                for reservation in self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
                for one in reservation["Instances"]
            ]
            if all(one["State"]["Name"] == state for one in found):
                return
            time.sleep(0.05)
        raise TimeoutError(f"{ids} did not become {state}")


def live(cloud):
    """The story that both clouds live."""
    ec2, step = cloud.ec2, cloud.step
    a, b = cloud.id_of("subnet a"), cloud.id_of("subnet b")
    step("subnets", "describe_subnets", SubnetIds=[a, b])
    step("subnets of a zone", "describe_subnets", Filters=[{"Name": "availability-zone", "Values": ["us-east-1b"]}, {"Name": "subnet-id", "Values": [a, b]}])
    step("no subnet", "describe_subnets", SubnetIds=["subnet-0123456789abcdef0"])
    for name, subnet in (("machine 1", a), ("machine 2", a), ("machine 3", b)):
        launched = ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=subnet, **cloud.template)["Instances"][0]
        cloud.names[launched["InstanceId"]] = name
        cloud.names[launched["NetworkInterfaces"][0]["NetworkInterfaceId"]] = f"interface of {name}"
    ids = [cloud.id_of(f"machine {number}") for number in (1, 2, 3)]
    one, two, three = ids
    cloud.settle(ids, "running")
    step("subnets in use", "describe_subnets", SubnetIds=[a, b])

    step("tags are set", "create_tags", Resources=[one, two], Tags=[{"Key": "role", "Value": "web"}, {"Key": "odd", "Value": "a*b <&>"}])
    step("a tag is changed", "create_tags", Resources=[two], Tags=[{"Key": "role", "Value": "job"}])
    step("a tag is removed", "delete_tags", Resources=[two], Tags=[{"Key": "odd"}])
    step("another value stays", "delete_tags", Resources=[one], Tags=[{"Key": "role", "Value": "job"}])
    for name, values in {
        "tag:role": ["web"],
        "tag-key": ["odd"],
        "instance-state-name": ["running"],
        "subnet-id": [b],
        "availability-zone": ["us-east-1a"],
        "tag:none": ["x"],
    }.items():
        step(f"filter {name}", "describe_instances", Filters=[{"Name": name, "Values": values}, {"Name": "instance-id", "Values": ids}])
    step("filter instance-id", "describe_instances", Filters=[{"Name": "instance-id", "Values": [one, three]}])
    step("wildcards", "describe_instances", Filters=[{"Name": "tag:role", "Values": ["w?b", "x*"]}])
    step("no machine", "describe_instances", InstanceIds=["i-0123456789abcdef0"])

    step("protect", "modify_instance_attribute", InstanceId=one, DisableApiTermination={"Value": True})
    step("protected", "describe_instance_attribute", InstanceId=one, Attribute="disableApiTermination")
    step("unprotected", "describe_instance_attribute", InstanceId=two, Attribute="disableApiTermination")
    step("terminate protected", "terminate_instances", InstanceIds=[one])
    step("terminate protected and another of its zone", "terminate_instances", InstanceIds=[one, two])
    step("still there", "describe_instances", InstanceIds=[one, two])
    step("protect from stopping", "modify_instance_attribute", InstanceId=three, DisableApiStop={"Value": True})
    step("stop protected", "stop_instances", InstanceIds=[three])

    allocation = cloud.id_of("allocation 1")
    step("free address", "describe_addresses", AllocationIds=[allocation])
    step("no address", "describe_addresses", AllocationIds=["eipalloc-0123456789abcdef0"])
    association = ec2.associate_address(AllocationId=allocation, InstanceId=one)["AssociationId"]
    cloud.names[association] = "association 1"
    step("associated", "describe_addresses", AllocationIds=[allocation])
    step("by machine", "describe_addresses", Filters=[{"Name": "instance-id", "Values": [one]}])
    step("public address", "describe_instances", InstanceIds=[one])
    step("may not move", "associate_address", AllocationId=allocation, InstanceId=two, AllowReassociation=False)
    moved = ec2.associate_address(AllocationId=allocation, InstanceId=two, AllowReassociation=True)["AssociationId"]
    cloud.names[moved] = "association 2"
    step("moved", "describe_addresses", AllocationIds=[allocation])
    interface = cloud.id_of("interface of machine 1")
    through = ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=interface, AllowReassociation=True)["AssociationId"]
    cloud.names[through] = "association 3"
    step("through an interface", "describe_addresses", AllocationIds=[allocation])
    step("public address through an interface", "describe_instances", InstanceIds=[one])
    step("by interface", "describe_addresses", Filters=[{"Name": "network-interface-id", "Values": [interface]}])
    step("no interface", "associate_address", AllocationId=allocation, NetworkInterfaceId="eni-0123456789abcdef0")
    step("disassociate", "disassociate_address", AssociationId=through)
    step("free again", "describe_addresses", AllocationIds=[allocation])
    step("release", "release_address", AllocationId=allocation)
    step("released", "describe_addresses", AllocationIds=[allocation])

    step("unprotect", "modify_instance_attribute", InstanceId=one, DisableApiTermination={"Value": False})
    step("dry run", "terminate_instances", InstanceIds=[one], DryRun=True)
    step("stop", "stop_instances", InstanceIds=[two])
    cloud.settle([two], "stopped")
    step("start", "start_instances", InstanceIds=[two])
    cloud.settle([two], "running")
    step("terminate", "terminate_instances", InstanceIds=[one, two])
    cloud.settle([one, two], "terminated")
    step("subnets freed", "describe_subnets", SubnetIds=[a, b])
    return cloud.steps


def moto_cloud(url):
    ec2 = client(url, "testing")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for cidr, zone in (("10.0.0.0/28", "us-east-1a"), ("10.0.1.0/24", "us-east-1b"))
    ]
    address = ec2.allocate_address(Domain="vpc")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    names = {
        vpc: "vpc",
        subnets[0]: "subnet a",
        subnets[1]: "subnet b",
        address["AllocationId"]: "allocation 1",
        address["PublicIp"]: "public ip 1",
        image: "image",
    }
    return Cloud(ec2, names, {"ImageId": image, "InstanceType": "m6i.large"})


def our_cloud(url):
    names = {
        "vpc-1": "vpc",
        "subnet-a": "subnet a",
        "subnet-b": "subnet b",
        "eipalloc-1": "allocation 1",
        "203.0.113.1": "public ip 1",
        "ami-1": "image",
    }
    return Cloud(client(url, "AKOPERATOR"), names, {"ImageId": "ami-1", "InstanceType": "m6i.large"})


logging.disable(logging.CRITICAL)
moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
moto.start()
try:
    host, port = moto.get_host_and_port()
    both = {"moto": live(moto_cloud(f"http://{host}:{port}")), "ours": live(our_cloud(sys.argv[1]))}
finally:
    moto.stop()
json.dump(both, sys.stdout)
