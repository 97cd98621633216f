/**
 * The protocol of the control socket, one request and one response per connection, and the interface of its commands.
 */
package org.vhostuserrng.transport.control;
