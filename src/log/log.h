/* This home's own log: RFC 6962 tree over its leaves. The store's transaction is the only commit
 * point: leaves and the tree's right edge are rows; tiles and checkpoint under HOME/log/ are files
 * projected from them afterwards (temporary name, rename), and built again at open where they lag.
 * In memory is only the right edge (at most 255 hashes a level) and a few tiles; proofs read tiles.
 * Layout: HOME/log/checkpoint, HOME/log/tile/<L>/<N>[.p/<W>], HOME/log/tile/entries/<N>[.p/<W>]
 * (c2sp.org/tlog-tiles, crypto.md 1.4). */
#ifndef COMITY_LOG_LOG_H
#define COMITY_LOG_LOG_H

#include "log/checkpoint.h"
#include "log/merkle.h"
#include "store/store.h"

struct log;

/* log_fd: HOME/log, borrowed. Reads the edge from the store, publishes what the files lack. */
bool log_open(struct store *s, int log_fd, const char *origin, struct log **ret, struct err *e) MUST_USE;
void log_close(struct log *l);
const char *log_origin(const struct log *l);
uint64_t log_size(const struct log *l);
void log_root(const struct log *l, merkle_hash ret); /* of log_size */

/* Inside the store's transaction. */
/* hash: of the statement whose leaf it is, or NULL for a null leaf. */
bool log_append(struct log *l, struct bytes entry, const uint8_t *hash, uint64_t *ret_index, struct err *e) MUST_USE;
bool log_save(struct log *l, struct err *e) MUST_USE; /* the right edge, once per slot */
void log_rollback(struct log *l);                     /* forgets what was appended since the last log_committed */
void log_committed(struct log *l);                    /* the transaction is durable */

/* After the commit: entry bundles, tiles, then the checkpoint note, of this tree at log_size or at a size before:
 * cosignatures take their time. */
bool log_publish(struct log *l, struct bytes checkpoint_note, struct err *e) MUST_USE;
/* The tiles only, when there is no note yet. */
bool log_publish_tiles(struct log *l, struct err *e) MUST_USE;

bool log_inclusion(struct log *l, uint64_t index, uint64_t size, merkle_hash proof[static PROOF_HASHES_MAX],
		   size_t *ret_count, struct err *e) MUST_USE;
bool log_consistency(struct log *l, uint64_t m, uint64_t n, merkle_hash proof[static PROOF_HASHES_MAX],
		     size_t *ret_count, struct err *e) MUST_USE;
/* Root at an earlier size. */
bool log_root_at(struct log *l, uint64_t size, merkle_hash ret, struct err *e) MUST_USE;

/* "tile/0/x001/x234/067" or with ".p/15": L -1 is "entries". out has room for 96. */
void tile_path(int level, uint64_t n, unsigned width, char out[static 96]);

/* Audit of files alone (no store): every tile and bundle re-hashed up to the checkpoint, which must verify with the
 * key. It is monitor.h without a state. Used by `comity log verify DIR` and tests. */
struct log_audit {
	struct checkpoint checkpoint;
	uint64_t leaves;
};
bool log_audit_files(int log_fd, const struct note_key *key, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
		     void *ctx, struct log_audit *ret, struct err *e) MUST_USE;

/* The same of a log whose origin is another than its key's name (checkpoint_verify_of). */
bool log_audit_files_of(int log_fd, const char *origin, const struct note_key *key, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
			void *ctx, struct log_audit *ret, struct err *e) MUST_USE;

/* The compressed bundles of files that log_audit_files has verified up to `size`: each "NNN.gz" that lies there must inflate
 * to the bundle beside it. How many do not; `wrong` is told a sentence with the name of each. */
uint64_t log_audit_compressed(int log_fd, uint64_t size, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
			      void (*wrong)(void *ctx, const char *text), void *ctx);

/* Root over the leaves of a store that nobody has open as a log: a backup. REASON_INCONSISTENT when there are less. */
bool log_root_of_store(struct store *s, uint64_t size, void (*progress)(void *ctx, uint64_t leaves, uint64_t size), void *ctx,
		       merkle_hash ret, struct err *e) MUST_USE;

#endif
