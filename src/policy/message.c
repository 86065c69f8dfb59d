/* Copyright (c) 2026 the dovecot-pop3-policy authors, LGPL-2.1-or-later */

#include "lib.h"
#include "array.h"
#include "device-names.h"
#include "message.h"

unsigned int pop3_message_devices_count(const struct pop3_message *message)
{
	const struct pop3_message_device *device = message->devices;
	unsigned int count = 0;

	if (device == NULL)
		return 0;
	for (; device->name != NULL; device++)
		count++;
	return count;
}

time_t pop3_message_device_downloaded(const struct pop3_message *message,
				      const char *name)
{
	const struct pop3_message_device *device = message->devices;

	if (device == NULL)
		return 0;
	for (; device->name != NULL; device++) {
		if (strcmp(device->name, name) == 0)
			return device->downloaded;
	}
	return 0;
}

time_t pop3_message_downloaded_by(const struct pop3_message *message,
				  const char *const *names)
{
	time_t last = 0, downloaded;

	if (*names == NULL)
		return message->downloaded;
	for (; *names != NULL; names++) {
		downloaded = pop3_message_device_downloaded(message, *names);
		if (downloaded == 0)
			return 0;
		last = I_MAX(last, downloaded);
	}
	return last;
}

/* Of more than there may be, the one that was first is least likely to be in
   use. */
static unsigned int find_oldest(const struct pop3_message_device *devices)
{
	unsigned int i, oldest = 0;

	for (i = 1; devices[i].name != NULL; i++) {
		if (devices[i].downloaded < devices[oldest].downloaded)
			oldest = i;
	}
	return oldest;
}

void pop3_message_add_device(pool_t pool, struct pop3_message *message,
			     const char *name, time_t downloaded)
{
	unsigned int count = pop3_message_devices_count(message);
	struct pop3_message_device *devices;

	if (pop3_message_device_downloaded(message, name) != 0)
		return;
	devices = p_new(pool, struct pop3_message_device, count + 2);
	if (count > 0) {
		memcpy(devices, message->devices,
		       sizeof(*devices) * count);
	}
	if (count == POP3_DEVICES_MAX)
		count = find_oldest(devices);
	devices[count].name = p_strdup(pool, name);
	devices[count].downloaded = downloaded;
	message->devices = devices;
}

void pop3_message_add_news(pool_t pool, struct pop3_message *message,
			   const struct pop3_message *news)
{
	const struct pop3_message old = *message;
	const struct pop3_message_device *device;

	*message = *news;
	if (old.downloaded != 0)
		message->downloaded = old.downloaded;
	if (old.devices == NULL)
		return;
	message->devices = old.devices;
	for (device = news->devices; device != NULL && device->name != NULL;
	     device++) {
		pop3_message_add_device(pool, message, device->name,
					device->downloaded);
	}
}

void pop3_message_copy(pool_t pool, const struct pop3_message *src,
		       struct pop3_message *dest_r)
{
	const struct pop3_message_device *device;

	*dest_r = *src;
	dest_r->guid = p_strdup(pool, src->guid);
	dest_r->hash = p_strdup(pool, src->hash);
	dest_r->uidl = p_strdup(pool, src->uidl);
	dest_r->devices = NULL;
	for (device = src->devices; device != NULL && device->name != NULL;
	     device++) {
		pop3_message_add_device(pool, dest_r, device->name,
					device->downloaded);
	}
}
