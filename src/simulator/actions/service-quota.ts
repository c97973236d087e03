import type { Cloud } from '../cloud.ts';

/** Running On-Demand Standard instances, in vCPUs: https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html */
const STANDARD_VCPUS = 'L-1216C47A';

/** What Service Quotas answers: a body, or the name of one of its errors. */
export type QuotaAnswer = { body: object } | { error: string; message: string };

/** GetServiceQuota for the one quota that the simulated cloud has. */
export function getServiceQuota(
  { scenario }: Cloud,
  input: { ServiceCode?: unknown; QuotaCode?: unknown },
): QuotaAnswer {
  const { ServiceCode: service, QuotaCode: code } = input;
  if (typeof service !== 'string' || typeof code !== 'string') {
    return { error: 'IllegalArgumentException', message: 'ServiceCode and QuotaCode are required.' };
  }
  if (service !== 'ec2' || code !== STANDARD_VCPUS) {
    return {
      error: 'NoSuchResourceException',
      message: `The request failed because the specified service quota does not exist: ${service} ${code}`,
    };
  }
  return {
    body: {
      Quota: {
        ServiceCode: 'ec2',
        ServiceName: 'Amazon Elastic Compute Cloud (Amazon EC2)',
        QuotaArn: `arn:aws:servicequotas:${scenario.region}:${scenario.account}:ec2/${code}`,
        QuotaCode: code,
        QuotaName: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
        Value: scenario.quotas.vcpus,
        Unit: 'None',
        Adjustable: true,
        GlobalQuota: false,
      },
    },
  };
}
