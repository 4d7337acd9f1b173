/* Exhibits of a home: taken in and sealed at the source, handed over, fetched, opened and confirmed. Bulk
 * bytes never come here: mills and courier work on descriptors, this module decides and compares. Every
 * step is a custody statement (evidence.md 1.2). */
#ifndef COMITY_EXCHANGE_EXHIBIT_H
#define COMITY_EXCHANGE_EXHIBIT_H

#include "exchange/node.h"
#include "seal/age.h"
#include "store/blob.h"

#define EXHIBIT_NAME_BYTES_MAX 200u

struct exhibit_row {
	struct id id, request;
	char peer[PARTY_CODE_LEN_MAX + 1];
	bool own, personal, has_statement;
	char name[EXHIBIT_NAME_BYTES_MAX + 1], media[120];
	uint64_t size, sealed_size, fetched;
	uint8_t sha256[32], sealed_sha256[32], statement[32];
	char blob[BLOB_NAME_LEN + 1];
	char state[16]; /* ready, released | announced, fetching, opened, broken */
	int64_t next, attempts, failed; /* attempts: to fetch; failed: complete and did not verify */
};
bool exhibit_get(struct node *n, const struct id *id, struct exhibit_row *ret, struct err *e) MUST_USE;

/* --- at the party that hands over --------------------------------------------------------------------- */
/* Something is about to be taken in: its sealed bytes go into fd (a new blob) under file_key, to these recipients. */
struct exhibit_intake {
	struct id id, request;
	char name[EXHIBIT_NAME_BYTES_MAX + 1], media[120];
	bool personal;
	char blob[BLOB_NAME_LEN + 1];
	int fd;                       /* read-write; the caller closes */
	struct secret *file_key;      /* the caller frees */
	struct age_recipient recipient;
};
bool exhibit_begin(struct node *n, const struct id *request, const char *name, const char *media, bool personal,
		   struct exhibit_intake *ret, struct err *e) MUST_USE;
/* The first mill sealed it, the second read it again: both must agree. Records row, key and custody. */
bool exhibit_sealed(struct node *n, const struct exhibit_intake *x, const struct age_totals *first,
		    const struct age_totals *second, struct err *e) MUST_USE;
void exhibit_abandon(struct node *n, const struct exhibit_intake *x); /* removes the blob */
/* Body and references of the statement that hands it over; needs a disclosure order (24(2), 24(4)). New references. */
bool exhibit_release_body(struct node *n, const struct id *id, json_t **ret_body, json_t **ret_refs, struct request_row *ret_request,
			  struct err *e) MUST_USE;
/* For a peer that fetches: the blob, if it was handed over to the party with this TLS key. */
bool exhibit_for_peer(struct node *n, const struct id *id, const uint8_t *spki, int *ret_fd, uint64_t *ret_size, struct err *e) MUST_USE;

/* --- at the party that receives ------------------------------------------------------------------------ */
struct exhibit_fetch {
	struct exhibit_row row;
	char url[700];
	uint8_t pin[32];
	struct err problem; /* why an earlier one was set back, or empty */
	int fd;         /* the blob, positioned at its end; -1: it is complete and only to be opened */
	uint64_t from;
};
/* The next exhibit that is to be fetched now and for which `busy` says no; *ret_found false: none. One that cannot be
 * fetched now is set back, and ret->problem says why. */
bool exhibit_next(struct node *n, int64_t now_ms, bool (*busy)(void *ctx, const struct id *id), void *ctx,
		  struct exhibit_fetch *ret, bool *ret_found, struct err *e) MUST_USE;
/* The courier is done or gave up (error): tried again later from where it stands. */
bool exhibit_fetched(struct node *n, const struct id *id, bool ok, const char *error, int64_t now_ms, bool *ret_complete, struct err *e) MUST_USE;
/* So many sealed bytes are here: for those who watch. */
bool exhibit_progress(struct node *n, const struct id *id, struct err *e) MUST_USE;
/* File key (from the key store, or unwrapped by the signer from the blob's header) and the blob for reading. */
bool exhibit_open(struct node *n, const struct id *id, struct exhibit_row *ret, struct secret **ret_key, int *ret_fd, struct err *e) MUST_USE;
/* What the mill found when it opened the whole: accepted and confirmed, or broken and told. */
bool exhibit_checked(struct node *n, const struct id *id, bool opened, const struct age_totals *t, int64_t now_ms, struct err *e) MUST_USE;

/* A custody statement; exhibit NULL for a package. Object as given. */
struct custody_event {
	const char *act, *reason, *result, *name;
	const uint8_t *sha256;
	uint64_t size;
};
bool exhibit_custody(struct node *n, const struct id *exhibit, const struct id *request, const char *case_ref,
		     const struct custody_event *v, uint8_t ret_hash[static 32], struct err *e) MUST_USE;

#endif
