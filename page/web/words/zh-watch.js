// The Chinese words of the view Watch.

export default {
};
