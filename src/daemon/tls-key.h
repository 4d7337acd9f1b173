/* The TLS key of a home and the certificate around it. Peers pin the key (SHA-256 of its SPKI), so the
 * certificate is signed by itself and says little. */
#ifndef COMITY_DAEMON_TLS_KEY_H
#define COMITY_DAEMON_TLS_KEY_H

#include "base/buf.h"
#include "base/err.h"

/* Draws a P-256 key. key_pem is to be wiped; the certificate is valid from a day ago for ten years. */
bool tls_key_make(const char *common_name, struct buf *key_pem, struct buf *cert_pem, uint8_t spki_sha256[static 32],
		  struct err *e) MUST_USE;
/* For a key that is there: from and until are seconds since 1970. */
bool tls_certificate_make(struct bytes key_pem, const char *common_name, int64_t from_s, int64_t until_s,
			  struct buf *cert_pem, uint8_t spki_sha256[static 32], struct err *e) MUST_USE;

#endif
