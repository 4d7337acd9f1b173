/* BagIt 1.0 (RFC 8493) with a closed profile (evidence.md 1.1), so that a bag has one spelling and can be
 * checked with coreutils alone: manifests and tag manifests in SHA-256 and SHA-512, both complete, lines
 * "hex  path" in order of path; names from [A-Za-z0-9._/-]; regular files only; no fetch.txt. The file
 * seal/tagmanifest.json alone stands outside the tag manifests, because it signs them. */
#ifndef COMITY_EVIDENCE_BAGIT_H
#define COMITY_EVIDENCE_BAGIT_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

#define SHA512_BYTES 64
#define BAG_DECLARATION "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
#define BAG_SEAL "seal/tagmanifest.json"
#define BAG_TAGMANIFEST "tagmanifest-sha256.txt"

/* --- formats ---------------------------------------------------------------------------------- */

/* A relative path that may stand in a bag: no component is empty, begins with a dot or hyphen, or is
 * over-long; at most PACKAGE_DEPTH_MAX deep. */
bool bag_path_check(struct bytes path, struct err *e) MUST_USE;

struct bag_line {
	struct bytes path; /* into the parsed bytes */
	uint8_t digest[SHA512_BYTES];
};
struct bag_manifest {
	struct bag_line *lines; /* in order of path */
	size_t count, digest_bytes;
};
/* digest_bytes: SHA256_BYTES or SHA512_BYTES. */
bool bag_manifest_parse(struct bytes in, size_t digest_bytes, struct bag_manifest *ret, struct err *e) MUST_USE;
void bag_manifest_release(struct bag_manifest *m);
void bag_line_write(struct bytes path, struct bytes digest, struct buf *out);
const struct bag_line *bag_manifest_find(const struct bag_manifest *m, struct bytes path); /* NULL: none */
#define AUTO_BAG_MANIFEST __attribute__((cleanup(bag_manifest_release))) struct bag_manifest

/* bag-info.txt: these labels, in this order, each once. */
struct bag_info {
	struct bytes organization, case_ref, party, date; /* "Arcadia", "2026/17", "XA", "2026-11-24" */
	uint64_t payload_bytes, payload_files;
};
bool bag_info_parse(struct bytes in, struct bag_info *ret, struct err *e) MUST_USE;
bool bag_info_write(const struct bag_info *b, struct buf *out, struct err *e) MUST_USE;

/* --- files ------------------------------------------------------------------------------------ */

struct bag_digests {
	uint64_t size;
	uint8_t sha256[SHA256_BYTES], sha512[SHA512_BYTES];
};
/* Both digests in one read, in constant memory. */
struct bag_hasher;
struct bag_hasher *bag_hasher_new(void);
void bag_hasher_free(struct bag_hasher *h);
/* From where fd stands to its end. progress may be NULL; it is told the bytes read since its last call. */
bool bag_hash_fd(struct bag_hasher *h, int fd, const char *what, void (*progress)(void *ctx, uint64_t bytes), void *ctx,
		 struct bag_digests *ret, struct err *e) MUST_USE;
void bag_hash_bytes(struct bag_hasher *h, struct bytes in, struct bag_digests *ret);
/* Opens a regular file below dir_fd for reading; no link is followed in any component. */
bool bag_open(int dir_fd, const char *path, int *ret_fd, struct err *e) MUST_USE;

/* --- a whole bag ------------------------------------------------------------------------------ */

struct bag_file {
	char *path;
	bool payload;
	bool read;              /* digests and, for tag files, content are there */
	struct bag_digests digests;
	struct buf content;     /* of tag files: what was hashed is what is parsed */
};
struct bag {
	struct bag_file *files; /* in order of path */
	size_t count, room;
	uint64_t payload_bytes, payload_files;
};
struct bag_watch {
	/* One thing that is wrong: which file, why. */
	void (*problem)(void *ctx, const char *what, enum reason reason, const char *text);
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* bytes hashed; may be NULL */
	void *ctx;
};
/* Reads and checks everything; what is wrong is told to w, and reading goes on. False only when the
 * folder cannot be read at all. */
bool bag_read(int dir_fd, const struct bag_watch *w, struct bag **ret, struct err *e) MUST_USE;
void bag_free(struct bag *b);
void bag_free_at(struct bag **b);
#define AUTO_BAG __attribute__((cleanup(bag_free_at))) struct bag
const struct bag_file *bag_find(const struct bag *b, const char *path); /* NULL: none */

#endif
