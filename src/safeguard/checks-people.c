/* Who approved: all roles that the kind demands, for this very text, and nobody for themselves. Whether the
 * signatures are true and the people are in the register is judged in register/judge.h. */
#include "safeguard/safeguard-internal.h"

#include "seal/approval.h"

static const struct approval *approval_as(const struct safeguard_facts *f, enum approval_role role)
{
	for (size_t i = 0; i < f->approval_count; i++)
		if (f->approvals[i].role == role)
			return &f->approvals[i];
	return NULL;
}

bool approvals_are_complete(const struct safeguard_facts *f, const struct findings *so_far)
{
	unsigned needed = kind_approvals(f->s->kind, f->s->body);

	for (unsigned role = 0; role < APPROVAL_ROLE_COUNT; role++)
		if ((needed & (1u << role)) != 0 && approval_as(f, (enum approval_role)role) == NULL)
			return false;
	return true;
}

bool approvals_are_of_this(const struct safeguard_facts *f, const struct findings *so_far)
{
	for (size_t i = 0; i < f->approval_count; i++)
		if (memcmp(f->approvals[i].hash, f->s->hash, SHA256_BYTES) != 0)
			return false;
	return true;
}

/* A request's officer drafts it; an acknowledgement's officer is the duty officer who signs it. */
bool officer_does_not_approve(const struct safeguard_facts *f, const struct findings *so_far)
{
	const char *officer = json_text(f->s->body, "officer");

	for (size_t i = 0; i < f->approval_count; i++)
		if ((f->approvals[i].role == APPROVAL_REVIEWER || f->approvals[i].role == APPROVAL_AUTHORITY) &&
		    officer[0] != '\0' && strcmp(f->approvals[i].approver, officer) == 0)
			return false;
	return true;
}

/* One key under two names is one person too. */
static bool is_same_person(const struct approval *a, const struct approval *b)
{
	if (strcmp(a->approver, b->approver) == 0)
		return true;
	for (size_t i = 0; i < a->envelope.signature_count; i++)
		for (size_t j = 0; j < b->envelope.signature_count; j++)
			if (strcmp(a->envelope.signatures[i].keyid, b->envelope.signatures[j].keyid) == 0)
				return true;
	return false;
}

bool reviewer_is_another(const struct safeguard_facts *f, const struct findings *so_far)
{
	for (size_t i = 0; i < f->approval_count; i++)
		for (size_t j = 0; j < f->approval_count; j++)
			if (f->approvals[i].role == APPROVAL_REVIEWER && f->approvals[j].role == APPROVAL_AUTHORITY &&
			    is_same_person(&f->approvals[i], &f->approvals[j]))
				return false;
	return true;
}

bool review_is_noted(const struct safeguard_facts *f, const struct findings *so_far)
{
	if (!so_far->reviews)
		return true;
	for (size_t i = 0; i < f->approval_count; i++)
		if (f->approvals[i].role == APPROVAL_REVIEWER && f->approvals[i].note[0] != '\0')
			return true;
	return false;
}
