// The English words of the view Watch.

export default {
};
