/* Evidence is handed over (art. 44): what it is, its hashes open and sealed, the order that allowed its
 * disclosure, its custody until now, and on what conditions it may be used (36(1)(b), 40(19)). */
#include "statement/body.h"

#define CUSTODY_MAX 512

static const struct member condition_members[] = {
	M_LINE("clause", "under"),
	M_LINE_MUST("kind", "kind"),
	M_TEXT_MUST("text", "condition"),
};
static const struct shape condition_shape = SHAPE(condition_members);

static const struct member members[] = {
	M_LIST("conditions", &condition_shape, 0, "condition of use"),
	{ .name = "custody", .type = MEMBER_HASHES, .max = CUSTODY_MAX, .words = "custody event" },
	M_ID("exhibit", "exhibit"),
	M_LINE("media_type", "type"),
	M_LINE_MUST("name", "name"),
	M_HASH_OR_NONE("order", "order that allowed disclosure"),
	M_FLAG("personal_data", "contains personal data"),
	M_ID("request", "request"),
	M_HASH("sealed_sha256", "SHA-256 of the sealed file"),
	M_COUNT("sealed_size", 0, INT64_C(9007199254740991), "bytes of the sealed file"),
	M_HASH("sha256", "SHA-256"),
	M_COUNT("size", 0, INT64_C(9007199254740991), "bytes"),
};
const struct shape exhibit_shape = SHAPE(members);

bool exhibit_parse(const json_t *body, struct err *e)
{
	return body_parse(body, &exhibit_shape, e);
}

void exhibit_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	if (json_array_size(json_object_get(s->body, "custody")) == 0)
		finding_add(f, FINDING_STOP, "custody", "", REASON_MISSING_FIELD,
			    "evidence without a custody event cannot be handed over: record who acquired it and how");
	body_must_text(s->body, "order", "24(2)", f,
		       "evidence is disclosed on a domestic order: name the order for disclosure");
}

void exhibit_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &exhibit_shape, offset_minutes, out);
}
