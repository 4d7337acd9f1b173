/* The listening sockets. They belong to the parent, so that a door that dies and comes back finds its callers
 * waiting in the queue. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/parent-internal.h"

#define QUEUE_MAX 512
#define SOCKET_NAME "comity.sock"

/* "127.0.0.1:8443", "[::1]:8443". */
static bool address_split(const char *text, char host[static 64], char port[static 8], struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - text);

	if (len > 1 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len == 0 || len > 63 || strlen(colon + 1) == 0 || strlen(colon + 1) > 5)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "\"%s\" is not an address and port", text);
	snprintf(host, 64, "%.*s", (int)len, text);
	snprintf(port, 8, "%s", colon + 1);
	return true;
}

static bool address_find(const char *text, struct addrinfo **ret, struct err *e)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
	char host[64], port[8];
	int failed;

	if (!address_split(text, host, port, e))
		return false;
	failed = getaddrinfo(host, port, &hints, ret);
	return failed == 0 || err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "%s: %s", text, gai_strerror(failed));
}

static bool address_text(int fd, char *out, size_t room, struct err *e)
{
	char host[INET6_ADDRSTRLEN + 1], port[8];
	struct sockaddr_storage at;
	socklen_t len = sizeof(at);

	if (getsockname(fd, (struct sockaddr *)&at, &len) != 0 ||
	    getnameinfo((struct sockaddr *)&at, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return err_system(e, "cannot tell where we listen");
	snprintf(out, room, at.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return true;
}

static bool listen_tcp(const char *text, int *ret, char *real, size_t room, struct err *e)
{
	struct addrinfo *found = NULL;
	int one = 1;
	bool bound;
	AUTO_FD fd = -1;

	if (!address_find(text, &found, e))
		return false;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* inherited by what is accepted */
	}
	bound = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, QUEUE_MAX) == 0;
	if (!bound)
		err_system(e, "cannot listen at %s", text);
	freeaddrinfo(found);
	if (!bound || !address_text(fd, real, room, e))
		return false;
	*ret = fd;
	fd = -1;
	return true;
}

/* Named through the open folder: the path of a home may be longer than a socket's name. Its mode is the one that it is
 * made with: changed afterwards, another file might have taken its place. */
static bool listen_local(int run_fd, bool for_others, int *ret, struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool bound;

	snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, run_fd);
	(void)unlinkat(run_fd, SOCKET_NAME, 0);
	mode_t before = umask(for_others ? 0111 : 0177);
	bound = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0;
	(void)umask(before);
	if (!bound || listen(fd, QUEUE_MAX) != 0)
		return err_system(e, "cannot listen at run/" SOCKET_NAME);
	*ret = fd;
	fd = -1;
	return true;
}

/* The keeper knows by their number who may; here it is only whether they reach the socket at all. */
static bool for_others(const struct config *config)
{
	return config_text(config, operators)[0] != '\0';
}

bool run_open(int home_fd, const struct config *config, int *ret_run_fd, struct err *e)
{
	AUTO_FD fd = openat(home_fd, "run", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 || fchmod(fd, for_others(config) ? 0711 : 0700) != 0)
		return err_system(e, "run");
	*ret_run_fd = fd;
	fd = -1;
	return true;
}

/* Through a descriptor that was seen to be a socket: not whatever has the name by then. */
bool listeners_give(int run_fd, uid_t uid, gid_t gid, struct err *e)
{
	AUTO_FD fd = openat(run_fd, SOCKET_NAME, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_system(e, "run/" SOCKET_NAME);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, REASON_WRONG_STATE, "run/" SOCKET_NAME " is not the socket that was made there");
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0 || err_system(e, "run/" SOCKET_NAME);
}

bool listeners_open_public(int run_fd, const struct config *config, struct listeners *ret, struct err *e)
{
	struct listeners l = { .peer = -1, .public = -1, .local = -1 };
	AUTO_BUF text = { 0 };

	buf_init(&text, 512);
	if (!listen_tcp(config_text(config, listen_public), &l.public, l.public_text, sizeof(l.public_text), e))
		return err_note(e, "listen_public");
	buf_add_format(&text, "public %s\n", l.public_text);
	if (!file_write(run_fd, "addresses", buf_bytes(&text), 0644, false, e))
		return false;
	*ret = l;
	return true;
}

bool listeners_open(int run_fd, const struct config *config, struct listeners *ret, struct err *e)
{
	struct listeners l = { .peer = -1, .public = -1, .local = -1 };
	AUTO_BUF text = { 0 };

	buf_init(&text, 512);
	if (!listen_tcp(config_text(config, listen_peer), &l.peer, l.peer_text, sizeof(l.peer_text), e))
		return err_note(e, "listen_peer");
	if (!listen_tcp(config_text(config, listen_public), &l.public, l.public_text, sizeof(l.public_text), e))
		return err_note(e, "listen_public");
	if (!listen_local(run_fd, for_others(config), &l.local, e))
		return false;
	buf_add_format(&text, "peer %s\npublic %s\n", l.peer_text, l.public_text);
	if (!file_write(run_fd, "addresses", buf_bytes(&text), 0644, false, e))
		return false;
	*ret = l;
	return true;
}
