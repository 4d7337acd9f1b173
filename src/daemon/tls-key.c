/* TLS keys: ECDSA on P-256, because every TLS library has it in hardware-tested form. The serial number is drawn, as
 * RFC 5280 4.1.2.2 wants it to be unique and positive. */
#include "daemon/tls-key.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/text.h"

#define DAY_S INT64_C(86400)
#define YEARS_10_S (3652 * DAY_S)

static bool failed(struct err *e)
{
	return err_set(e, ERR_SYSTEM, REASON_SYSTEM, "the TLS key or certificate cannot be made");
}

static bool bio_take(BIO *bio, struct buf *out, struct err *e)
{
	char *at = NULL;
	long len = BIO_get_mem_data(bio, &at);

	if (len <= 0)
		return failed(e);
	buf_add(out, bytes_from(at, (size_t)len));
	return buf_check(out, "TLS key", e);
}

static bool spki_hash(EVP_PKEY *key, uint8_t ret[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0)
		return false;
	sha256(bytes_from(der, (size_t)len), ret);
	OPENSSL_free(der);
	return true;
}

static bool extension_add(X509 *x, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool added;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	added = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return added;
}

static bool fill(X509 *x, EVP_PKEY *key, const char *common_name, int64_t from_s, int64_t until_s)
{
	X509_NAME *name = X509_get_subject_name(x);
	uint8_t serial[16];
	BIGNUM *number;
	bool ok;

	chance_fill(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
	BN_free(number);
	return ok && X509_set_version(x, X509_VERSION_3) == 1 &&
	       ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until_s) != NULL &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, key) == 1 &&
	       extension_add(x, NID_key_usage, "critical,digitalSignature") &&
	       extension_add(x, NID_ext_key_usage, "serverAuth,clientAuth") &&
	       extension_add(x, NID_basic_constraints, "critical,CA:FALSE") && X509_sign(x, key, EVP_sha256()) > 0;
}

static bool certificate_write(EVP_PKEY *key, const char *common_name, int64_t from_s, int64_t until_s,
			      struct buf *cert_pem, struct err *e)
{
	X509 *x = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok;

	if (x == NULL || bio == NULL)
		abort();
	ok = (fill(x, key, common_name, from_s, until_s) && PEM_write_bio_X509(bio, x) == 1) || failed(e);
	ok = ok && bio_take(bio, cert_pem, e);
	BIO_free(bio);
	X509_free(x);
	return ok;
}

bool tls_certificate_make(struct bytes key_pem, const char *common_name, int64_t from_s, int64_t until_s,
			  struct buf *cert_pem, uint8_t spki_sha256[static 32], struct err *e)
{
	BIO *bio = BIO_new_mem_buf(key_pem.at, (int)key_pem.len);
	EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	bool ok;

	BIO_free(bio);
	if (key == NULL)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "this is no TLS key in PEM form");
	ok = certificate_write(key, common_name, from_s, until_s, cert_pem, e) &&
	     (spki_hash(key, spki_sha256) || failed(e));
	EVP_PKEY_free(key);
	return ok;
}

bool tls_key_make(const char *common_name, struct buf *key_pem, struct buf *cert_pem, uint8_t spki_sha256[static 32],
		  struct err *e)
{
	int64_t now_s = clock_now_ms() / 1000;
	EVP_PKEY *key = EVP_EC_gen("P-256");
	/* Secure memory where OpenSSL has it; the BIO cleanses on free. */
	BIO *bio = BIO_new(BIO_s_secmem());
	bool ok;

	ok = (key != NULL && bio != NULL &&
	      PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) || failed(e);
	ok = ok && bio_take(bio, key_pem, e);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return ok && tls_certificate_make(buf_bytes(key_pem), common_name, now_s - DAY_S, now_s + YEARS_10_S, cert_pem,
					  spki_sha256, e);
}
