/**
 * The vhost-user document turned into types: constants, one record for each request, the decoder, the framing of
 * messages on a socket. Knows nothing of what a request does.
 */
package org.vhostuserrng.transport.protocol;
