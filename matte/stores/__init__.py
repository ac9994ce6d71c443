"""Places that hold files whole, by name: folders on a disk, and buckets of S3."""
