/* Who is on the other end. libmicrohttpd only asks for a certificate; what was shown is read here, once for each
 * connection, and judged by the caller before it reads any body. There is no chain: the key itself is
 * pinned, so the certificate is only the key's envelope and its time. */
#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/http-internal.h"

static gnutls_session_t session_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info == NULL ? NULL : info->tls_session;
}

void peer_ask(struct MHD_Connection *connection)
{
	gnutls_session_t session = session_of(connection);

	if (session != NULL)
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
}

static bool spki_hash(gnutls_x509_crt_t crt, uint8_t ret[static 32])
{
	gnutls_datum_t der = { 0 };
	gnutls_pubkey_t key = NULL;
	bool ok;

	ok = gnutls_pubkey_init(&key) == 0 && gnutls_pubkey_import_x509(key, crt, 0) == 0 &&
	     gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0;
	if (ok)
		sha256(bytes_from(der.data, der.size), ret);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(key);
	return ok;
}

static void look(gnutls_session_t session, struct http_shown *s)
{
	unsigned count = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(session, &count);
	gnutls_x509_crt_t crt = NULL;

	if (list == NULL || count == 0) {
		snprintf(s->why, sizeof(s->why), "no client certificate was shown");
		return;
	}
	if (gnutls_x509_crt_init(&crt) != 0)
		abort();
	if (gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) == 0 && spki_hash(crt, s->spki)) {
		s->from_s = gnutls_x509_crt_get_activation_time(crt);
		s->until_s = gnutls_x509_crt_get_expiration_time(crt);
		s->shown = true;
	} else {
		snprintf(s->why, sizeof(s->why), "the client certificate cannot be read");
	}
	gnutls_x509_crt_deinit(crt);
}

bool http_peer(struct http_call *c, uint8_t ret_spki[static 32], struct err *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_shown *s = info == NULL ? NULL : info->socket_context;
	gnutls_session_t session = session_of(c->connection);
	int64_t now_s = clock_now_ms() / 1000;

	if (s == NULL || session == NULL)
		return err_set(e, ERR_FORBIDDEN, REASON_UNKNOWN_KEY, "this listener asks for no certificate");
	if (!s->looked)
		look(session, s);
	s->looked = true;
	if (!s->shown)
		return err_set(e, ERR_FORBIDDEN, REASON_UNKNOWN_KEY, "%s", s->why);
	/* Asked at each call: a connection may outlive its certificate. */
	if (now_s < s->from_s || now_s > s->until_s)
		return err_set(e, ERR_FORBIDDEN, REASON_KEY_NOT_VALID, "the client certificate is not valid at this time");
	memcpy(ret_spki, s->spki, sizeof(s->spki));
	return true;
}

bool http_uid(struct http_call *c, uint32_t *ret, struct err *e)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred who;
	socklen_t len = sizeof(who);

	if (info == NULL || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return err_system(e, "cannot tell who calls");
	*ret = who.uid;
	return true;
}
