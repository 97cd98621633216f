/** The protocol of the control socket, and the interface of the commands: one request and one response a connection. */
package org.vhostuserrng.transport.control;
