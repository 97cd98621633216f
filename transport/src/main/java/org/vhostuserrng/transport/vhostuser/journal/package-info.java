/**
 * The journal of a session, from which another process continues it. All types are confined to the loop's thread.
 */
package org.vhostuserrng.transport.vhostuser.journal;
