/**
 * A front-end's session: what it has configured, the life of its rings, what each request does.
 *
 * <p>Confined to the loop's thread. A session knows the loop only as {@link org.vhostuserrng.transport.loop.EventLoop}.
 */
package org.vhostuserrng.transport.vhostuser.session;
