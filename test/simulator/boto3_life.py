"""Lives a machine's whole life through boto3 at the URL named first, and prints what it saw as JSON."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = sys.argv[1]
CREDENTIALS = {"region_name": "us-east-1", "aws_access_key_id": "AKOPERATOR", "aws_secret_access_key": "any"}
CONFIG = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10)
ec2 = boto3.client("ec2", endpoint_url=URL, config=CONFIG, **CREDENTIALS)
quotas = boto3.client("service-quotas", endpoint_url=URL, config=CONFIG, **CREDENTIALS)
WAIT = {"Delay": 0.05, "MaxAttempts": 400}
seen = {}


def code(call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        return [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]
    return None


def described(**parameters):
    pages = ec2.get_paginator("describe_instances").paginate(**parameters)
    return [one for page in pages for reservation in page["Reservations"] for one in reservation["Instances"]]


launch = {
    "MinCount": 1,
    "MaxCount": 3,
    "SubnetId": "subnet-b",
    "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "1"},
    "ClientToken": "life-1",
    "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "role", "Value": "a & b"}]}],
    "DisableApiTermination": True,
}
seen["dry run"] = code(ec2.run_instances, DryRun=True, **launch)
launched = ec2.run_instances(**launch)["Instances"]
ids = [one["InstanceId"] for one in launched]
seen["launched"] = [one["State"]["Name"] for one in launched]
seen["repeated"] = [one["InstanceId"] for one in ec2.run_instances(**launch)["Instances"]] == ids
seen["mismatch"] = code(ec2.run_instances, **{**launch, "MaxCount": 2})

ec2.get_waiter("instance_running").wait(InstanceIds=ids, WaiterConfig=WAIT)
ec2.get_waiter("instance_status_ok").wait(InstanceIds=ids, WaiterConfig=WAIT)
running = described(Filters=[{"Name": "tag:role", "Values": ["a*"]}, {"Name": "instance-state-name", "Values": ["running"]}])
seen["running"] = [one["InstanceId"] for one in running] == ids
seen["tags"] = running[0]["Tags"]
seen["paged"] = [one["InstanceId"] for one in described(PaginationConfig={"PageSize": 5})] == ids
attribute = ec2.describe_instance_attribute(InstanceId=ids[0], Attribute="disableApiTermination")
seen["protected"] = attribute["DisableApiTermination"]["Value"]
seen["refused"] = code(ec2.terminate_instances, InstanceIds=ids)

ec2.create_tags(Resources=ids[:1], Tags=[{"Key": "team", "Value": "x"}])
ec2.delete_tags(Resources=ids[:1], Tags=[{"Key": "role"}])
seen["retagged"] = described(InstanceIds=ids[:1])[0]["Tags"]

association = ec2.associate_address(AllocationId="eipalloc-1", InstanceId=ids[0], AllowReassociation=False)
address = ec2.describe_addresses(AllocationIds=["eipalloc-1"])["Addresses"][0]
seen["associated"] = [address["InstanceId"] == ids[0], address["AssociationId"] == association["AssociationId"]]
seen["public"] = described(InstanceIds=ids[:1])[0]["PublicIpAddress"]
interface = described(InstanceIds=ids[1:2])[0]["NetworkInterfaces"][0]
moved = ec2.associate_address(AllocationId="eipalloc-1", NetworkInterfaceId=interface["NetworkInterfaceId"])
address = ec2.describe_addresses(AllocationIds=["eipalloc-1"])["Addresses"][0]
seen["interface"] = [address["InstanceId"] == ids[1], address["PrivateIpAddress"] == interface["PrivateIpAddress"]]
ec2.disassociate_address(AssociationId=moved["AssociationId"])
ec2.release_address(AllocationId="eipalloc-1")
seen["addresses"] = [one["AllocationId"] for one in ec2.describe_addresses()["Addresses"]]

stopping = ec2.stop_instances(InstanceIds=ids[:1])["StoppingInstances"][0]
seen["stopping"] = [stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]]
ec2.get_waiter("instance_stopped").wait(InstanceIds=ids[:1], WaiterConfig=WAIT)
starting = ec2.start_instances(InstanceIds=ids[:1])["StartingInstances"][0]
seen["starting"] = [starting["PreviousState"]["Name"], starting["CurrentState"]["Name"]]
ec2.get_waiter("instance_running").wait(InstanceIds=ids[:1], WaiterConfig=WAIT)

for one in ids:
    ec2.modify_instance_attribute(InstanceId=one, DisableApiTermination={"Value": False})
free = ec2.describe_subnets(SubnetIds=["subnet-b"])["Subnets"][0]["AvailableIpAddressCount"]
ec2.terminate_instances(InstanceIds=ids)
ec2.get_waiter("instance_terminated").wait(InstanceIds=ids, WaiterConfig=WAIT)
freed = ec2.describe_subnets(SubnetIds=["subnet-b"])["Subnets"][0]["AvailableIpAddressCount"]
seen["freed"] = [free, freed]

types = ec2.describe_instance_types(InstanceTypes=["m6i.large"])["InstanceTypes"]
seen["vcpus"] = types[0]["VCpuInfo"]["DefaultVCpus"]
versions = ec2.describe_launch_template_versions(LaunchTemplateId="lt-1", Versions=["$Default"])
seen["template"] = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
seen["quota"] = quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]["Value"]
seen["no quota"] = code(quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-0")
nobody = boto3.client("ec2", endpoint_url=URL, config=CONFIG, **{**CREDENTIALS, "aws_access_key_id": "AKNOBODY"})
seen["nobody"] = code(nobody.describe_instances)
json.dump(seen, sys.stdout)
