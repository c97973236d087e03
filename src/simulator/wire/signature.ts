/**
 * The access key id of a request, or undefined when it is not signed: from the Authorization header of Signature
 * Version 4 or the X-Amz-Credential parameter of a presigned one. The signature itself is not verified: the
 * simulator tells callers apart, it does not keep anyone out.
 */
export function accessKeyId(authorization: string | undefined, form: URLSearchParams): string | undefined {
  const credential =
    authorization?.match(/^AWS4-HMAC-SHA256 .*?Credential=([^,\s]+)/)?.[1] ?? form.get('X-Amz-Credential');
  return credential?.split('/')[0];
}
