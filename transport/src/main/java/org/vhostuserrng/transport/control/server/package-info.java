/** The server of the control socket. Runs on the event loop of the guests, and never waits for a client. */
package org.vhostuserrng.transport.control.server;
