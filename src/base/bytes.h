/* A run of bytes that somebody else owns: pointer and length, passed by value.
 * NUL-terminated strings exist only at the edge to libc and libraries. */
#ifndef COMITY_BASE_BYTES_H
#define COMITY_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *at;
	size_t len;
};

/* Text of a literal or of any NUL-terminated string, without the NUL. NULL gives no bytes. */
struct bytes bytes_of(const char *text);
struct bytes bytes_from(const void *at, size_t len);
#define BYTES_ARRAY(a) bytes_from((a), sizeof(a))

bool bytes_equal(struct bytes a, struct bytes b); /* not for secrets: see secret.h */
bool bytes_is(struct bytes a, const char *text);
bool bytes_starts(struct bytes a, const char *prefix);
int bytes_compare(struct bytes a, struct bytes b); /* as memcmp, then by length */
/* Position of the first `c`, or a.len when there is none. */
size_t bytes_find(struct bytes a, uint8_t c);
/* Cuts the part before the first `c` off `rest`, and the `c` itself; all of it when there is none. */
struct bytes bytes_cut(struct bytes *rest, uint8_t c);
struct bytes bytes_slice(struct bytes a, size_t from, size_t len); /* clipped to what is there */
/* Copies into a text of `room` bytes with its NUL; what does not fit is cut off. */
void bytes_text(struct bytes a, char *out, size_t room);

#endif
