"""Where results are kept: a folder, or a prefix of a bucket in S3. Both are the same few calls, see `tasks.stores.backend`."""
