/* A web server as a source of a log's files. What comes is never believed, so any certificate will do unless a pin is
 * given; who was talked to is told. Several files are on their way at once over kept connections. */
#ifndef COMITY_CLI_SOURCE_HTTPS_H
#define COMITY_CLI_SOURCE_HTTPS_H

#include <signal.h>

#include "base/text.h"
#include "log/source.h"

struct https_options {
	const char *url;                    /* prefix; a slash at its end is left out */
	const uint8_t *pin;                 /* SHA-256 of the server's SPKI; NULL: any key */
	const volatile sig_atomic_t *stop;  /* may be NULL: not 0 ends what is under way */
};
bool source_https_open(const struct https_options *o, struct log_source *ret, struct err *e) MUST_USE;
/* Nothing is waited for beyond that time of clock_monotonic_us; 0: no such time. Of any other source
 * nothing changes. */
void source_https_until(const struct log_source *s, int64_t us);
/* SHA-256 of the SPKI of the last server that answered; false when none did. s must be one of these. */
bool source_https_server(const struct log_source *s, uint8_t ret[static SHA256_BYTES]);

#endif
