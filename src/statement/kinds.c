/* The table of kinds, made from kinds.tbl.h. A kind that is not here does not exist: its letters are
 * refused as unknown. */
#include "statement/body.h"

#define ROLE_BIT(role) (1u << APPROVAL_##role)
#define A1(a) ROLE_BIT(a)
#define A2(a, b) (ROLE_BIT(a) | ROLE_BIT(b))
#define NO_APPROVAL 0u

enum kind_index {
#define KIND(c, name, act_class, to, leaf, pending, approvals, words) KIND_##c,
#include "statement/kinds.tbl.h"
	KIND_COUNT
};

static const struct kind kinds[KIND_COUNT] = {
#define KIND(c, name, act_class, to, leaf, pending, approvals, words)                                            \
	[KIND_##c] = { name, "application/vnd.comity." name "+json; v=1", act_class, to, leaf, pending, \
		       approvals, words, c##_parse, c##_check, c##_print,                               \
		       KIND_##c == KIND_order ? order_approvals_of : NULL, KIND_##c == KIND_overdue_notice },
#include "statement/kinds.tbl.h"
};

static const struct shape *const shapes[KIND_COUNT] = {
#define KIND(c, name, act_class, to, leaf, pending, approvals, words) [KIND_##c] = &c##_shape,
#include "statement/kinds.tbl.h"
};

size_t kind_count(void)
{
	return KIND_COUNT;
}

const struct kind *kind_at(size_t i)
{
	return i < KIND_COUNT ? &kinds[i] : NULL;
}

const struct kind *kind_find(struct bytes name)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (bytes_is(name, kinds[i].name))
			return &kinds[i];
	return NULL;
}

const struct kind *kind_find_type(struct bytes type)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (bytes_is(type, kinds[i].type))
			return &kinds[i];
	return NULL;
}

unsigned kind_approvals(const struct kind *k, const json_t *body)
{
	return k->approvals_of != NULL ? k->approvals_of(body) : k->approvals;
}

const struct shape *kind_shape(const struct kind *k)
{
	return shapes[k - kinds];
}

struct bytes statement_type(const struct kind *k)
{
	return bytes_of(k->type);
}
