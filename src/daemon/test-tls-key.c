/* TLS keys and certificates as `comity init` makes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/text.h"
#include "daemon/tls-key.h"

static X509 *certificate_of(const struct buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->at, (int)pem->len);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x);
	return x;
}

static void the_pin_is_of_the_certificates_key(void **state)
{
	uint8_t pin[32], seen[32];
	struct err e = { 0 };
	unsigned char *der = NULL;
	char name[16] = "";
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF cert = { 0 };
	X509 *x;
	int len;

	buf_init(&key, 8 * KIB);
	buf_init(&cert, 8 * KIB);
	assert_true(tls_key_make("XA", &key, &cert, pin, &e));
	x = certificate_of(&cert);
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	assert_true(len > 0);
	sha256(bytes_from(der, (size_t)len), seen);
	OPENSSL_free(der);
	assert_memory_equal(pin, seen, sizeof(pin));
	X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof(name));
	assert_string_equal(name, "XA");
	assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
	X509_free(x);
}

static void a_new_certificate_keeps_the_pin_of_the_key(void **state)
{
	uint8_t pin[32], again[32];
	struct err e = { 0 };
	AUTO_BUF_WIPE key = { 0 };
	AUTO_BUF cert = { 0 };
	AUTO_BUF second = { 0 };
	X509 *x;

	buf_init(&key, 8 * KIB);
	buf_init(&cert, 8 * KIB);
	buf_init(&second, 8 * KIB);
	assert_true(tls_key_make("XA", &key, &cert, pin, &e));
	assert_true(tls_certificate_make(buf_bytes(&key), "XA", 1000, 2000, &second, again, &e));
	assert_memory_equal(pin, again, sizeof(pin));
	x = certificate_of(&second);
	assert_true(X509_cmp_current_time(X509_get0_notAfter(x)) < 0);
	X509_free(x);
}

static void what_is_no_key_is_refused(void **state)
{
	uint8_t pin[32];
	struct err e = { 0 };
	AUTO_BUF cert = { 0 };

	buf_init(&cert, 8 * KIB);
	assert_false(tls_certificate_make(bytes_of("hello"), "XA", 0, 1, &cert, pin, &e));
	assert_int_equal(e.kind, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pin_is_of_the_certificates_key),
		cmocka_unit_test(a_new_certificate_keeps_the_pin_of_the_key),
		cmocka_unit_test(what_is_no_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
