/** The server of the control socket. Runs on the same event loop as the guests, and never blocks on a client. */
package org.vhostuserrng.transport.control.server;
