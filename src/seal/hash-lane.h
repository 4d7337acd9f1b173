/* SHA-256 of a stream beside the work on it: a lane hashes one block on a thread of its own while the
 * next is made. Where threads are not to be had (a sandbox without them), it hashes in place. */
#ifndef COMITY_SEAL_HASH_LANE_H
#define COMITY_SEAL_HASH_LANE_H

#include "base/bytes.h"
#include "base/text.h"

struct hash_lane;

struct hash_lane *hash_lane_new(void);
void hash_lane_free(struct hash_lane *l);
/* From now on with a thread, if one can be had. */
void hash_lane_thread(struct hash_lane *l);
/* Waits until the block before is done. The bytes must stay as they are until the next call. */
void hash_lane_feed(struct hash_lane *l, struct bytes in);
void hash_lane_final(struct hash_lane *l, uint8_t ret[static SHA256_BYTES]);

#endif
