/**
 * The session of a vhost-user front-end. {@link org.vhostuserrng.transport.vhostuser.session.VhostUserSession} receives
 * messages and sends replies, {@link org.vhostuserrng.transport.vhostuser.session.FrontendRequestHandler} executes the
 * requests, {@link org.vhostuserrng.transport.vhostuser.session.Vring} schedules a virtqueue,
 * {@link org.vhostuserrng.transport.vhostuser.session.VringLifecycle} starts and stops it, and
 * {@link org.vhostuserrng.transport.vhostuser.session.SessionState} and a
 * {@link org.vhostuserrng.transport.vhostuser.session.VringConfig} per vring are the state. References point in this
 * order only.
 *
 * <p>Confined to the loop's thread; the package uses the loop only through
 * {@link org.vhostuserrng.transport.loop.EventScheduler}.
 */
package org.vhostuserrng.transport.vhostuser.session;
