/* Loads the rule pack and answers questions about it. It promises that a loaded treaty is whole: all
 * 68 articles, all 13 offences, every constant that the program counts with, and for every legal basis
 * a closed list of grounds that ends with OTHER; and that a ground is offered only for the kinds of
 * request that its row names. */
#include "treaty/treaty.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/limits.h"
#include "treaty/treaty-internal.h"

struct treaty *treaty_new(void)
{
	struct treaty *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	/* Keys and values are copied with room for alignment; the files themselves are limited below. */
	t->arena = arena_new(4 * (size_t)TREATY_BYTES_MAX);
	return t;
}

void treaty_free(struct treaty *t)
{
	if (t == NULL)
		return;
	arena_free(t->arena);
	free(t);
}

bool treaty_check_whole(const struct treaty *t, struct err *e)
{
	static const char *const constants[] = { "serious_crime_years", "order_days_max", "hold_days_min" };
	char name[16];

	for (int n = 1; n <= TREATY_ARTICLES_TOP; n++) {
		snprintf(name, sizeof(name), "%d", n);
		if (treaty_article(t, bytes_of(name)) == NULL)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "uncc/articles.txt: article %d is missing", n);
	}
	for (int n = 7; n <= 19; n++) {
		snprintf(name, sizeof(name), "UNCC-%02d", n);
		if (treaty_offence(t, bytes_of(name)) == NULL)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "uncc/offences.txt: %s is missing", name);
	}
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (treaty_constant_find(t, bytes_of(constants[i])) == NULL)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "uncc/constants.txt: %s is missing",
				       constants[i]);
	for (size_t i = 0; i < t->basis_count; i++)
		if (!t->bases[i].has_other)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD,
				       "uncc/grounds.txt: the list of %s does not end with OTHER", t->bases[i].name);
	for (size_t i = 0; i < t->request_count; i++)
		if (treaty_measure_of_kind(t, bytes_of(t->requests[i].kind)) == NULL)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "uncc/measures.txt: no measure for %s",
				       t->requests[i].kind);
	return true;
}

/* As sha256sum writes it, so that anybody can recompute which rules were applied. */
static void version_add(struct buf *sums, const char *name, struct bytes in)
{
	uint8_t digest[SHA256_BYTES];

	sha256(in, digest);
	buf_add_hex(sums, BYTES_ARRAY(digest));
	buf_add_format(sums, "  %s\n", name);
}

/* In order of name, whatever the order of loading. */
static void version_set(struct treaty *t, const struct buf *contents)
{
	const char *last = "";
	AUTO_BUF sums = { 0 };

	buf_init(&sums, 4 * KIB);
	for (size_t done = 0; done < treaty_file_count; done++) {
		size_t next = treaty_file_count;

		for (size_t i = 0; i < treaty_file_count; i++)
			if (strcmp(treaty_files[i].name, last) > 0 &&
			    (next == treaty_file_count || strcmp(treaty_files[i].name, treaty_files[next].name) < 0))
				next = i;
		if (next == treaty_file_count)
			abort(); /* two files of one name */
		last = treaty_files[next].name;
		version_add(&sums, last, buf_bytes(&contents[next]));
	}
	sha256(buf_bytes(&sums), t->version);
}

static bool load_files(struct treaty *t, const char *folder, struct buf *contents, struct err *e)
{
	char path[4096];

	for (size_t i = 0; i < treaty_file_count; i++) {
		int len = snprintf(path, sizeof(path), "%s/uncc/%s", folder, treaty_files[i].name);

		if (len < 0 || (size_t)len >= sizeof(path))
			return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "the name of the treaty folder is too long");
		if (!file_read(AT_FDCWD, path, &contents[i], e) ||
		    !treaty_parse(t, &treaty_files[i], buf_bytes(&contents[i]), e))
			return false;
	}
	version_set(t, contents);
	return treaty_check_whole(t, e);
}

bool treaty_load(const char *folder, struct treaty **ret, struct err *e)
{
	struct treaty *t = treaty_new();
	struct buf contents[8]; /* at least treaty_file_count */
	bool ok;

	if (treaty_file_count > sizeof(contents) / sizeof(contents[0]))
		abort(); /* a table of ours that has outgrown its place */
	for (size_t i = 0; i < treaty_file_count; i++)
		buf_init(&contents[i], TREATY_BYTES_MAX / 8);
	ok = load_files(t, folder, contents, e);
	for (size_t i = 0; i < treaty_file_count; i++)
		buf_release(&contents[i]);
	if (!ok) {
		treaty_free(t);
		return false;
	}
	*ret = t;
	return true;
}

const uint8_t *treaty_version(const struct treaty *t)
{
	return t->version;
}

bool words_hold(const char *list, struct bytes word)
{
	struct bytes rest = bytes_of(list);

	while (rest.len > 0)
		if (bytes_equal(bytes_cut(&rest, ' '), word))
			return true;
	return false;
}

const struct treaty_article *treaty_article(const struct treaty *t, struct bytes number)
{
	for (size_t i = 0; i < t->article_count; i++)
		if (bytes_is(number, t->articles[i].number))
			return &t->articles[i];
	return NULL;
}

size_t treaty_article_count(const struct treaty *t)
{
	return t->article_count;
}

const struct treaty_article *treaty_article_at(const struct treaty *t, size_t i)
{
	return i < t->article_count ? &t->articles[i] : NULL;
}

const struct treaty_offence *treaty_offence(const struct treaty *t, struct bytes code)
{
	for (size_t i = 0; i < t->offence_count; i++)
		if (bytes_is(code, t->offences[i].offence.code))
			return &t->offences[i].offence;
	return NULL;
}

size_t treaty_offence_count(const struct treaty *t)
{
	return t->offence_count;
}

const struct treaty_offence *treaty_offence_at(const struct treaty *t, size_t i)
{
	return i < t->offence_count ? &t->offences[i].offence : NULL;
}

enum treaty_gate treaty_gate_of(const struct treaty *t, struct bytes offence_code, int64_t max_penalty_years)
{
	if (treaty_offence(t, offence_code) != NULL)
		return GATE_CONVENTION_OFFENCE;
	if (max_penalty_years >= treaty_constant(t, "serious_crime_years"))
		return GATE_SERIOUS_CRIME;
	return GATE_LESSER_OFFENCE;
}

const struct measure_row *treaty_measure_row(const struct treaty *t, struct bytes article)
{
	for (size_t i = 0; i < t->measure_count; i++)
		if (bytes_is(article, t->measures[i].measure.article))
			return &t->measures[i];
	return NULL;
}

const struct treaty_measure *treaty_measure(const struct treaty *t, struct bytes article)
{
	const struct measure_row *row = treaty_measure_row(t, article);

	return row == NULL ? NULL : &row->measure;
}

const struct treaty_measure *treaty_measure_of_kind(const struct treaty *t, struct bytes request_kind)
{
	for (size_t i = 0; i < t->measure_count && request_kind.len > 0; i++)
		if (bytes_is(request_kind, t->measures[i].measure.request_kind))
			return &t->measures[i].measure;
	return NULL;
}

size_t treaty_grounds(const struct treaty *t, struct bytes legal_basis, struct bytes request_kind,
		      bool convention_offence, bool reservation, const struct treaty_ground **ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < t->ground_count; i++) {
		const struct ground_row *row = &t->grounds[i];

		if (!bytes_is(legal_basis, row->basis) || !words_hold(row->ground.kinds, request_kind))
			continue;
		if (row->ground.needs_reservation && (convention_offence || !reservation))
			continue;
		if (n < max)
			ret[n] = &row->ground;
		n++;
	}
	return n;
}

const struct treaty_ground *treaty_ground(const struct treaty *t, struct bytes legal_basis, struct bytes code)
{
	for (size_t i = 0; i < t->ground_count; i++)
		if (bytes_is(legal_basis, t->grounds[i].basis) && bytes_is(code, t->grounds[i].ground.code))
			return &t->grounds[i].ground;
	return NULL;
}

const struct basis_row *treaty_basis(const struct treaty *t, struct bytes name)
{
	for (size_t i = 0; i < t->basis_count; i++)
		if (bytes_is(name, t->bases[i].name))
			return &t->bases[i];
	return NULL;
}

bool treaty_basis_exists(const struct treaty *t, struct bytes legal_basis)
{
	return treaty_basis(t, legal_basis) != NULL;
}

const char *treaty_basis_words(const struct treaty *t, struct bytes legal_basis)
{
	const struct basis_row *row = treaty_basis(t, legal_basis);

	return row == NULL ? NULL : row->words;
}

const struct request_row *treaty_request(const struct treaty *t, struct bytes kind)
{
	for (size_t i = 0; i < t->request_count; i++)
		if (bytes_is(kind, t->requests[i].kind))
			return &t->requests[i];
	return NULL;
}

size_t treaty_fields(const struct treaty *t, struct bytes request_kind, const struct treaty_field **ret)
{
	const struct request_row *row = treaty_request(t, request_kind);

	if (row == NULL)
		return 0;
	*ret = row->fields;
	return row->field_count;
}

const struct constant_row *treaty_constant_find(const struct treaty *t, struct bytes name)
{
	for (size_t i = 0; i < t->constant_count; i++)
		if (bytes_is(name, t->constants[i].name))
			return &t->constants[i];
	return NULL;
}

int64_t treaty_constant(const struct treaty *t, const char *name)
{
	const struct constant_row *row = treaty_constant_find(t, bytes_of(name));

	if (row == NULL)
		abort();
	return row->value;
}

const char *treaty_constant_clause(const struct treaty *t, const char *name)
{
	const struct constant_row *row = treaty_constant_find(t, bytes_of(name));

	if (row == NULL)
		abort();
	return row->clause;
}
