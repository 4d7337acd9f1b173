/* Names in a package. Every name from outside goes through one rule, so that the verifier finds an exhibit's
 * file from its statement alone, and meta/names.json can say nothing that the statements do not. */
#include <string.h>

#include "base/json.h"
#include "evidence/custody.h"
#include "evidence/package-internal.h"

#define SAFE_NAME_BYTES_MAX 120u
#define SAFE_NAME_ENDING_BYTES 40u

static char safe(uint8_t c)
{
	bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		    c == '-';

	return fine ? (char)c : '_';
}

void package_payload_path(struct bytes exhibit, struct bytes name, package_path ret)
{
	char out[SAFE_NAME_BYTES_MAX + 1];
	size_t len = name.len < SAFE_NAME_BYTES_MAX ? name.len : SAFE_NAME_BYTES_MAX, skipped = name.len - len;

	for (size_t i = 0; i < len; i++)
		out[i] = safe(name.at[i < len - SAFE_NAME_ENDING_BYTES || skipped == 0 ? i : i + skipped]);
	out[len] = '\0';
	if (out[0] == '.' || out[0] == '-')
		out[0] = '_';
	snprintf(ret, sizeof(package_path), "data/%.*s/%s", exhibit.len < 64 ? (int)exhibit.len : 64, (const char *)exhibit.at,
		 len == 0 ? "exhibit" : out);
}

void package_act_path(size_t number, const char *kind, bool counterproof, package_path ret)
{
	snprintf(ret, sizeof(package_path), "meta/acts/%04zu-%s%s.json", number, kind, counterproof ? ".counterproof" : "");
}

bool package_names(const struct statement *const *list, size_t n, struct buf *out, struct err *e)
{
	AUTO_JSON *v = json_object();
	package_path path;

	for (size_t i = 0; i < n; i++) {
		if (!is_exhibit(list[i]))
			continue;
		package_payload_path(json_bytes(list[i]->body, "exhibit"), json_bytes(list[i]->body, "name"), path);
		json_put_bytes(v, path, json_bytes(list[i]->body, "name"));
	}
	if (!json_write_canonical(v, out, e))
		return err_note(e, PACKAGE_NAMES_PATH);
	buf_add_u8(out, '\n');
	return buf_check(out, PACKAGE_NAMES_PATH, e);
}
