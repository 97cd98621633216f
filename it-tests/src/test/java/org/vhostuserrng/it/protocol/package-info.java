/** Tests of the vhost-user messages: one class per message or group of messages, framing, unsupported messages. */
package org.vhostuserrng.it.protocol;
