/* Times as text. The calendar is the proleptic Gregorian one from year 1 to 9999, without leap
 * seconds; libc's time zones and locales are never asked. */
#include <stdio.h>

#include "base/text.h"

#define YEAR_MAX 9999

struct civil {
	int year, month, day; /* month 1..12, day 1..31 */
};

static const int64_t time_min_ms = INT64_C(-62135596800000); /* 0001-01-01T00:00:00.000Z */
static const int64_t time_max_ms = INT64_C(253402300799999); /* 9999-12-31T23:59:59.999Z */

/* Days since 1970-01-01. Years are counted from March, so that the leap day comes last; a cycle of
 * 400 years has 146097 days. */
static int64_t days_from_civil(struct civil c)
{
	int64_t year = c.month <= 2 ? c.year - 1 : c.year;
	int64_t cycle = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_cycle = year - cycle * 400;
	int64_t month = (c.month + 9) % 12;
	int64_t day_of_year = (153 * month + 2) / 5 + c.day - 1;

	return cycle * 146097 + year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 +
	       day_of_year - 719468;
}

static struct civil civil_from_days(int64_t days)
{
	int64_t z = days + 719468;
	int64_t cycle = (z >= 0 ? z : z - 146096) / 146097;
	int64_t day = z - cycle * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	struct civil c;

	c.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	c.month = (int)(month < 10 ? month + 3 : month - 9);
	c.year = (int)(year + cycle * 400 + (c.month <= 2 ? 1 : 0));
	return c;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Two to four digits at a fixed place; -1 unless all are digits. */
static int digits_at(struct bytes text, size_t from, size_t count)
{
	int v = 0;

	for (size_t i = from; i < from + count; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return -1;
		v = v * 10 + (text.at[i] - '0');
	}
	return v;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool time_parse(struct bytes text, int64_t *ret_ms)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	struct civil c;
	int hour, minute, second, ms;

	if (text.len != TIME_TEXT_LEN)
		return false;
	for (size_t i = 0; i < TIME_TEXT_LEN; i++) {
		if (form[i] != 'd' && text.at[i] != (uint8_t)form[i])
			return false;
	}
	c.year = digits_at(text, 0, 4);
	c.month = digits_at(text, 5, 2);
	c.day = digits_at(text, 8, 2);
	hour = digits_at(text, 11, 2);
	minute = digits_at(text, 14, 2);
	second = digits_at(text, 17, 2);
	ms = digits_at(text, 20, 3);
	if (c.year < 1 || c.month < 1 || c.month > 12 || c.day < 1 ||
	    c.day > days_in_month(c.year, c.month) || hour < 0 || hour > 23 || minute < 0 ||
	    minute > 59 || second < 0 || second > 59 || ms < 0)
		return false;
	*ret_ms = days_from_civil(c) * DAY_MS + hour * INT64_C(3600000) + minute * INT64_C(60000) +
		  second * INT64_C(1000) + ms;
	return true;
}

static int64_t clipped(int64_t ms)
{
	return ms < time_min_ms ? time_min_ms : ms > time_max_ms ? time_max_ms : ms;
}

void time_write(int64_t ms, char out[static TIME_TEXT_LEN + 1])
{
	int64_t days = floor_div(clipped(ms), DAY_MS);
	unsigned rest = (unsigned)(clipped(ms) - days * DAY_MS);
	struct civil c = civil_from_days(days);

	/* The remainders are for the compiler, which cannot know that the parts are that small. */
	snprintf(out, TIME_TEXT_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)c.year % (YEAR_MAX + 1), (unsigned)c.month % 100, (unsigned)c.day % 100,
		 rest / 3600000 % 24, rest / 60000 % 60, rest / 1000 % 60, rest % 1000);
}

void time_write_people(int64_t ms, int offset_minutes, char out[static 64])
{
	char utc[TIME_TEXT_LEN + 1], local[TIME_TEXT_LEN + 1];
	unsigned offset = (unsigned)(offset_minutes < 0 ? -offset_minutes : offset_minutes) % 6000;
	bool same_day;

	time_write(ms, utc);
	if (offset_minutes == 0) {
		snprintf(out, 64, "%.10s %.5s UTC", utc, utc + 11);
		return;
	}
	time_write(clipped(ms) + offset_minutes * INT64_C(60000), local);
	same_day = bytes_equal(bytes_from(utc, 10), bytes_from(local, 10));
	snprintf(out, 64, "%.10s %.5s UTC (%.*s%s%.5s %c%02u:%02u)", utc, utc + 11,
		 same_day ? 0 : 10, local, same_day ? "" : " ", local + 11,
		 offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}

void time_write_week(int64_t ms, char out[static 16])
{
	int64_t days = floor_div(clipped(ms), DAY_MS);
	/* 1970-01-01 was a Thursday. The week of ISO 8601 belongs to the year of its Thursday. */
	int64_t thursday = days - ((days + 3) % 7 + 7) % 7 + 3;
	struct civil c = civil_from_days(thursday);
	int64_t first = days_from_civil((struct civil){ c.year, 1, 1 });

	snprintf(out, 16, "%04u-W%02u", (unsigned)c.year % (YEAR_MAX + 1),
		 (unsigned)((thursday - first) / 7 + 1) % 100);
}
