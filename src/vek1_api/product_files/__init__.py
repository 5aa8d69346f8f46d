"""Files of products: sent by form or straight to the bucket, public, and read for their text."""
