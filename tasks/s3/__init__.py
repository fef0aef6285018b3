"""Files and folders in S3, and in whatever speaks like it.

Read by ranges, with a window of blocks in memory; written in parts, to a name beside the place and then put there by the store itself.
Credentials, region and address come from the usual environment (`AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, ...).
"""
