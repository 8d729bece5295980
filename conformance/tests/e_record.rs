//! Section E: what an event object hears of by `WSAEventSelect`, in the rules that messages share
//! (`f_record.rs`). `e_event_select.rs` has the rest.

mod ledger;

use conformance::ByEvent;

#[test]
fn r072_a_pending_accept_ex_takes_the_connection_first() {
    ledger::a_pending_accept_ex_takes_the_connection_first(ByEvent::of);
}

#[test]
fn r079_selecting_makes_the_socket_non_blocking_for_good() {
    ledger::selecting_makes_the_socket_non_blocking(ByEvent::of);
}

#[test]
fn r080_it_cannot_be_made_blocking_while_selected() {
    ledger::it_cannot_be_made_blocking_while_selected(ByEvent::of);
}

#[test]
fn r082_a_failing_accept_re_enables_it() {
    ledger::a_failing_accept_re_enables_it(ByEvent::of);
}

#[test]
fn r082_a_failing_receive_re_enables_it() {
    ledger::a_failing_receive_re_enables_it(ByEvent::of);
}

#[test]
fn r082_data_is_recorded_once_until_a_receive() {
    ledger::data_is_reported_once(ByEvent::of);
}

#[test]
fn r082_data_out_of_band_but_inline_is_fd_read() {
    ledger::data_out_of_band_but_inline_is_fd_read(ByEvent::of);
}

#[test]
fn r082_data_out_of_band_is_recorded_once_as_fd_oob() {
    ledger::data_out_of_band_is_fd_oob(ByEvent::of);
}

#[test]
fn r082_select_and_poll_do_not_disturb_it() {
    ledger::select_does_not_disturb_it(ByEvent::of);
}

#[test]
fn r083_any_receive_re_enables_it_and_what_is_left_is_recorded() {
    ledger::any_receive_re_enables_it_and_what_is_left_is_reported(ByEvent::of);
}

#[test]
fn r083_connections_are_recorded_one_by_one() {
    ledger::connections_are_reported_one_by_one(ByEvent::of);
}

#[test]
fn r083_datagrams_are_recorded_one_by_one() {
    ledger::datagrams_are_reported_one_by_one(ByEvent::of);
}

#[test]
fn r083_each_receive_that_leaves_data_brings_one_record() {
    ledger::a_receive_before_anyone_looks_brings_one_report_more(ByEvent::of);
}

#[test]
fn r083_no_record_is_lost_between_threads() {
    ledger::no_report_is_lost(ByEvent::of);
}

#[test]
fn r085_room_comes_with_the_peers_reading() {
    ledger::room_comes_with_the_peers_reading(ByEvent::of);
}

#[test]
fn r085_room_is_recorded_after_a_refused_send_only() {
    ledger::room_is_reported_after_a_refused_send_only(ByEvent::of);
}

#[test]
fn r086_a_connection_made_is_recorded_with_its_room() {
    ledger::a_connection_made_is_reported_with_its_room(ByEvent::of);
}

#[test]
fn r086_a_refused_connection_is_recorded_with_its_error() {
    ledger::a_refused_connection_is_reported_with_its_error(ByEvent::of);
}

#[test]
fn r086_a_second_attempt_is_recorded_anew() {
    ledger::a_second_attempt_is_reported_anew(ByEvent::of);
}

#[test]
fn r087_a_peer_that_closes_is_recorded_once() {
    ledger::a_peer_that_closes_is_reported_once(ByEvent::of);
}

#[test]
fn r087_a_peer_that_half_closes_is_recorded_once() {
    ledger::a_peer_that_half_closes_is_reported_once(ByEvent::of);
}

#[test]
fn r087_other_shutdowns_are_no_news() {
    ledger::other_shutdowns_are_no_news(ByEvent::of);
}

#[test]
fn r088_a_close_is_recorded_before_its_data_is_read() {
    ledger::a_close_is_reported_before_its_data_is_read(ByEvent::of);
}

#[test]
fn r088_data_and_close_in_one_go_are_both_recorded() {
    ledger::data_and_close_in_one_go_are_both_reported(ByEvent::of);
}

#[test]
fn r089_a_reset_after_data_is_an_abort_too() {
    ledger::a_reset_after_data_is_an_abort_too(ByEvent::of);
}

#[test]
fn r089_a_reset_is_an_abort() {
    ledger::a_reset_is_an_abort(ByEvent::of);
}

#[test]
fn r090_only_what_is_selected_is_recorded() {
    ledger::only_what_is_selected_is_reported(ByEvent::of);
}

#[test]
fn r090_what_holds_already_is_recorded_at_once() {
    ledger::what_holds_already_is_reported_at_once(ByEvent::of);
}

#[test]
fn r092_a_pending_receive_takes_its_data_first() {
    ledger::a_pending_receive_takes_its_data_first(ByEvent::of);
}
