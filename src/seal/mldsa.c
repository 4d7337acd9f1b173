/* FIPS 204, algorithm 8 (verification), for the parameters of ML-DSA-44. The numbers in brackets are those of its
 * algorithms. Everything is plain arithmetic modulo q, written to be compared with the standard; a verification takes
 * well below a millisecond, and a checkpoint has a handful. */
#include "seal/mldsa.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define Q 8380417u
#define N 256u
#define K 4u /* rows of the matrix, and L its columns */
#define L 4u
#define D 13u
#define TAU 39u
#define BETA 78u
#define OMEGA 80u
#define GAMMA1 (1u << 17)
#define GAMMA2 ((Q - 1) / 88)
#define CHALLENGE_BYTES 32u
#define MU_BYTES 64u
#define T1_BYTES 320u /* 256 coefficients of 10 bits */
#define Z_BYTES 576u  /* of 18 bits */
#define W1_BYTES 192u /* of 6 bits */

struct poly {
	uint32_t at[N]; /* each below Q */
};

/* --- arithmetic modulo q -------------------------------------------------------------------------- */

static uint32_t times(uint32_t a, uint32_t b)
{
	return (uint32_t)((uint64_t)a * b % Q);
}

static uint32_t plus(uint32_t a, uint32_t b)
{
	return (a + b) % Q;
}

static uint32_t minus(uint32_t a, uint32_t b)
{
	return (a + Q - b) % Q;
}

/* zeta^brv(k), k from 1 on; zeta = 1753. */
static void zetas_make(uint32_t zetas[static N])
{
	uint32_t power[N] = { 1 };

	for (size_t i = 1; i < N; i++)
		power[i] = times(power[i - 1], 1753);
	for (unsigned k = 0; k < N; k++) {
		unsigned reversed = 0;
		for (unsigned bit = 0; bit < 8; bit++)
			reversed |= (k >> bit & 1u) << (7 - bit);
		zetas[k] = power[reversed];
	}
}

/* [41] */
static void ntt(struct poly *w, const uint32_t *zetas)
{
	unsigned m = 0;

	for (unsigned len = N / 2; len >= 1; len /= 2) {
		for (unsigned start = 0; start < N; start += 2 * len) {
			uint32_t z = zetas[++m];
			for (unsigned j = start; j < start + len; j++) {
				uint32_t t = times(z, w->at[j + len]);
				w->at[j + len] = minus(w->at[j], t);
				w->at[j] = plus(w->at[j], t);
			}
		}
	}
}

/* [42] */
static void ntt_back(struct poly *w, const uint32_t *zetas)
{
	unsigned m = N;

	for (unsigned len = 1; len < N; len *= 2) {
		for (unsigned start = 0; start < N; start += 2 * len) {
			uint32_t z = Q - zetas[--m];
			for (unsigned j = start; j < start + len; j++) {
				uint32_t t = w->at[j];
				w->at[j] = plus(t, w->at[j + len]);
				w->at[j + len] = times(z, minus(t, w->at[j + len]));
			}
		}
	}
	for (unsigned j = 0; j < N; j++)
		w->at[j] = times(w->at[j], 8347681); /* 1/256 */
}

/* --- hashing ------------------------------------------------------------------------------------ */

/* All of SHAKE's answer in one piece: this OpenSSL lets it be taken only once. */
static void shake(const EVP_MD *md, const struct bytes *parts, size_t count, uint8_t *out, size_t len)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool ok = c != NULL && EVP_DigestInit_ex(c, md, NULL) == 1;

	for (size_t i = 0; ok && i < count; i++)
		ok = EVP_DigestUpdate(c, parts[i].at, parts[i].len) == 1;
	if (!ok || EVP_DigestFinalXOF(c, out, len) != 1)
		abort();
	EVP_MD_CTX_free(c);
}

/* [30] An entry of the matrix, in the form of the transform. What is not below q is left out; more of the answer is
 * taken when it was not enough, which the shortest length here makes as good as impossible. */
static void entry_make(const uint8_t *rho, uint8_t row, uint8_t column, struct poly *ret)
{
	const uint8_t place[2] = { column, row };
	const struct bytes seed[2] = { bytes_from(rho, 32), BYTES_ARRAY(place) };

	for (size_t len = 1344;; len *= 2) {
		uint8_t *out = malloc(len);
		unsigned n = 0;
		if (out == NULL)
			abort();
		shake(EVP_shake128(), seed, 2, out, len);
		for (size_t i = 0; i + 3 <= len && n < N; i += 3) {
			uint32_t v = out[i] | (uint32_t)out[i + 1] << 8 | (uint32_t)(out[i + 2] & 0x7f) << 16;
			if (v < Q)
				ret->at[n++] = v;
		}
		free(out);
		if (n == N)
			return;
	}
}

/* [29] The challenge: 39 coefficients of 1 or -1. */
static void ball_make(const uint8_t *seed, struct poly *ret)
{
	const struct bytes in = bytes_from(seed, CHALLENGE_BYTES);

	for (size_t len = 272;; len *= 2) {
		uint8_t *out = malloc(len);
		size_t at = 8;
		unsigned i = N - TAU;
		if (out == NULL)
			abort();
		shake(EVP_shake256(), &in, 1, out, len);
		memset(ret, 0, sizeof(*ret));
		for (; i < N && at < len; at++) {
			unsigned j = out[at], bit = i + TAU - N;
			if (j > i)
				continue;
			ret->at[i] = ret->at[j];
			ret->at[j] = (out[bit / 8] >> bit % 8 & 1) != 0 ? Q - 1 : 1;
			i++;
		}
		free(out);
		if (i == N)
			return;
	}
}

/* --- reading keys and signatures ---------------------------------------------------------------- */

/* n numbers of so many bits, the lowest bit first [18, 19]. */
static void unpack(const uint8_t *in, unsigned bits, struct poly *ret)
{
	uint32_t have = 0;
	unsigned count = 0;

	for (unsigned i = 0; i < N; i++) {
		while (count < bits) {
			have |= (uint32_t)*in++ << count;
			count += 8;
		}
		ret->at[i] = have & ((1u << bits) - 1);
		have >>= bits;
		count -= bits;
	}
}

/* z; false when a coefficient is too far from 0. */
static bool response_read(const uint8_t *in, struct poly z[static L])
{
	bool ok = true;

	for (unsigned i = 0; i < L; i++) {
		unpack(in + (size_t)i * Z_BYTES, 18, &z[i]);
		for (unsigned j = 0; j < N; j++) {
			uint32_t v = z[i].at[j]; /* gamma1 - z */
			uint32_t distance = v > GAMMA1 ? v - GAMMA1 : GAMMA1 - v;
			ok = ok && distance < GAMMA1 - BETA;
			z[i].at[j] = v > GAMMA1 ? Q - distance : distance;
		}
	}
	return ok;
}

/* [21] Which coefficients have a hint; false for any but the one spelling of a hint. */
static bool hints_read(const uint8_t *in, bool hints[static K][N])
{
	unsigned at = 0;

	memset(hints, 0, K * sizeof(hints[0]));
	for (unsigned i = 0; i < K; i++) {
		unsigned end = in[OMEGA + i], first = at;
		if (end < at || end > OMEGA)
			return false;
		for (; at < end; at++) {
			if (at > first && in[at - 1] >= in[at])
				return false;
			hints[i][in[at]] = true;
		}
	}
	for (; at < OMEGA; at++) {
		if (in[at] != 0)
			return false;
	}
	return true;
}

/* [36, 40] The high part of r, moved by one where there is a hint. */
static uint32_t high_part(bool hint, uint32_t r)
{
	const uint32_t parts = (Q - 1) / (2 * GAMMA2);
	int32_t low = (int32_t)(r % (2 * GAMMA2));
	uint32_t high;

	if (low > (int32_t)GAMMA2)
		low -= (int32_t)(2 * GAMMA2);
	if ((int32_t)r - low == (int32_t)Q - 1) {
		high = 0;
		low--;
	} else {
		high = (uint32_t)((int32_t)r - low) / (2 * GAMMA2);
	}
	if (!hint)
		return high;
	return low > 0 ? (high + 1) % parts : (high + parts - 1) % parts;
}

/* [28] Six bits a coefficient. */
static void high_parts_write(const struct poly *w, const bool *hints, uint8_t *out)
{
	for (unsigned i = 0; i < N; i += 4) {
		uint32_t v = 0;
		for (unsigned j = 0; j < 4; j++)
			v |= high_part(hints[i + j], w->at[i + j]) << 6 * j;
		*out++ = (uint8_t)v;
		*out++ = (uint8_t)(v >> 8);
		*out++ = (uint8_t)(v >> 16);
	}
}

/* --- verifying ------------------------------------------------------------------------------------ */

/* Row i of A z - c t1 2^d. */
static void row_make(const uint8_t *public_key, unsigned row, const struct poly z[static L], const struct poly *c,
		     const uint32_t *zetas, struct poly *ret)
{
	struct poly a, t1;

	memset(ret, 0, sizeof(*ret));
	for (unsigned column = 0; column < L; column++) {
		entry_make(public_key, (uint8_t)row, (uint8_t)column, &a);
		for (unsigned j = 0; j < N; j++)
			ret->at[j] = plus(ret->at[j], times(a.at[j], z[column].at[j]));
	}
	unpack(public_key + 32 + (size_t)row * T1_BYTES, 10, &t1);
	for (unsigned j = 0; j < N; j++)
		t1.at[j] <<= D;
	ntt(&t1, zetas);
	for (unsigned j = 0; j < N; j++)
		ret->at[j] = minus(ret->at[j], times(c->at[j], t1.at[j]));
	ntt_back(ret, zetas);
}

bool mldsa44_verify_context(const uint8_t public_key[static MLDSA44_PUBLIC_BYTES], struct bytes message, struct bytes context,
			    const uint8_t signature[static MLDSA44_SIGNATURE_BYTES])
{
	uint8_t key_hash[MU_BYTES], mu[MU_BYTES], again[CHALLENGE_BYTES], w1[K * W1_BYTES];
	const uint8_t pure[2] = { 0, (uint8_t)context.len };
	const struct bytes key = bytes_from(public_key, MLDSA44_PUBLIC_BYTES);
	const struct bytes text[4] = { BYTES_ARRAY(key_hash), BYTES_ARRAY(pure), context, message };
	const struct bytes all[2] = { BYTES_ARRAY(mu), BYTES_ARRAY(w1) };
	struct poly z[L], c, row;
	uint32_t zetas[N];
	bool hints[K][N];

	if (context.len > UINT8_MAX || !response_read(signature + CHALLENGE_BYTES, z) ||
	    !hints_read(signature + CHALLENGE_BYTES + (size_t)L * Z_BYTES, hints))
		return false;
	shake(EVP_shake256(), &key, 1, key_hash, sizeof(key_hash));
	shake(EVP_shake256(), text, 4, mu, sizeof(mu));
	zetas_make(zetas);
	ball_make(signature, &c);
	ntt(&c, zetas);
	for (unsigned i = 0; i < L; i++)
		ntt(&z[i], zetas);
	for (unsigned i = 0; i < K; i++) {
		row_make(public_key, i, z, &c, zetas, &row);
		high_parts_write(&row, hints[i], w1 + (size_t)i * W1_BYTES);
	}
	shake(EVP_shake256(), all, 2, again, sizeof(again));
	return memcmp(again, signature, sizeof(again)) == 0;
}

bool mldsa44_verify(const uint8_t public_key[static MLDSA44_PUBLIC_BYTES], struct bytes message,
		    const uint8_t signature[static MLDSA44_SIGNATURE_BYTES])
{
	return mldsa44_verify_context(public_key, message, (struct bytes){ 0 }, signature);
}
