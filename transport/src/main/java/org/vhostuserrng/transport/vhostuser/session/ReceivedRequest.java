package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/**
 * A message that {@link FrontendRequestHandler#receive} has decoded and {@link FrontendRequestHandler#serve} has not
 * executed yet.
 *
 * @param id the request ID
 * @param needReply whether the front-end sets need_reply
 * @param request null if the message is invalid
 * @param violation null if the message is valid
 * @param files the files of the request, to be prepared before it is executed
 */
record ReceivedRequest(
        int id, boolean needReply, FrontendRequest request, ProtocolViolationException violation, RequestFiles files) {}
